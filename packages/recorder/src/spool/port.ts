/**
 * A port that goes on while nobody records: events wait in the producer's own file and are handed over later.
 *
 * Once one event waits, all that follow wait behind it, so the order of the producer is the order of the ledger. They
 * keep their ids: what the ledger had taken without an answer is there once. What waits is on disk when it is answered.
 * A file at its bound takes no more: callers are told so, and how many were turned away is reported when the ledger is
 * back. What the ledger refuses for good is not spooled; found at hand-over, it is reported too.
 * Source: capture.md (recorder process), docs/format.md (idempotency).
 * @module
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import type { Ack, Port, Submission } from '../port/types.ts'
import { openSpoolFile, type SpoolFile } from './file.ts'
import type { Waiting } from './line.ts'

/** On disk beside the ledger, not in it yet: it has no place and no hash. */
export interface Spooled {
  readonly spooled: true
}

export type PortAnswer = Ack | Spooled | SwornError

/** What a recorder submits to: a port, or one that spools. */
export type RecordingPort = Omit<Port, 'submit'> & { submit(batch: readonly Submission[]): Promise<readonly PortAnswer[]> }

export interface SpoolingPort extends RecordingPort {
  /** Resolves when nothing waits any more, or the port is closed. */
  drained(): Promise<void>
}

/** Events of this producer that are in no ledger and in no spool. */
export interface SpoolLoss {
  readonly dropped: number
  readonly reason: 'spool_full' | 'spool_broken' | 'refused'
}

export interface SpoolOptions {
  /** The producer's own file; what is in it is handed over first. */
  readonly path: string
  readonly producerId: string
  /** Default 64 MiB. */
  readonly maxBytes?: number
  /** Called when the ledger is back. */
  readonly lost: (loss: SpoolLoss) => void
  readonly say?: (line: string) => void
  /** Between two tries to hand over; default 250. */
  readonly retryMs?: number
  /** How long `close` waits for the ledger; default 1,000. */
  readonly closeMs?: number
}

const MAX_BYTES = 64 * 1024 * 1024
/** Handed over before the file says so; after a crash it is handed over again. */
const PIECE_BYTES = 64 * 1024
const AT_ONCE = 256
const SPOOLED: Spooled = { spooled: true }

/** Nobody took it, or whoever took it did not say so. */
const isAway = (answer: PortAnswer | undefined) => SwornError.is(answer, 'RECORDER_UNAVAILABLE') || SwornError.is(answer, 'APPEND_UNKNOWN')

/** Neither taken nor refused for good. */
const isOpen = (answer: PortAnswer | undefined) => SwornError.is(answer) && answer.code !== 'EVENT_ID_CONFLICT'

/** @param inner closed with this one. @param resume there is a file already */
export function withSpool(inner: Port, options: SpoolOptions, resume = false): SpoolingPort {
  const { path, producerId, maxBytes = MAX_BYTES, retryMs = 250, closeMs = 1000, lost, say = () => {} } = options
  const ending = new AbortController()
  const counts = { spool_full: 0, spool_broken: 0, refused: 0 }
  let file: SpoolFile | undefined
  let draining: Promise<void> | undefined
  const tell = (e: unknown) => say(SwornError.is(e) ? `${e.code} ${e.message}` : 'the spool cannot be read or written')
  let order = resume ? nextOrder(begin()) : 0

  function begin(): SpoolFile {
    file = openSpoolFile(path, producerId)
    if (!resume) say(`nobody records: events wait in ${path}`)
    draining = drain(file).catch(tell) // what waits stays for the next process
    return file
  }

  /** False when they could not be kept. */
  function spool(batch: readonly Submission[], orders: readonly number[]): boolean {
    try {
      const isFull = (file?.bytes ?? 0) + batch.reduce((sum, { json }) => sum + json.length, 0) > maxBytes
      if (!isFull) keep(batch.map((submission, i) => ({ order: orders[i]!, submission })))
      if (isFull) counts.spool_full += batch.length
      return !isFull
    } catch (e) {
      tell(e)
      counts.spool_full += batch.length
      return false
    }
  }

  /** Where the file was taken over meanwhile, in a new one: what is in both is there once. @throws SwornError IO_FAILED */
  function keep(waiting: readonly Waiting[]): void {
    const into = file ?? begin()
    into.append(waiting)
    if (into.isHere()) return
    file = undefined
    into.close()
    begin().append(waiting)
  }

  async function submit(batch: readonly Submission[]): Promise<readonly PortAnswer[]> {
    const orders = batch.map(() => order++)
    if (file) {
      const answer = spool(batch, orders) ? SPOOLED : fullError(path)
      await turn() // whoever waits for each answer must not keep the hand-over from its turn
      return batch.map(() => answer)
    }
    const answers = await inner.submit(batch)
    const away = batch.flatMap((_, i) => (isAway(answers[i]) ? [i] : []))
    const kept =
      away.length > 0 &&
      spool(
        away.map((i) => batch[i]!),
        away.map((i) => orders[i]!),
      )
    return kept ? answers.map((answer) => (isAway(answer) ? SPOOLED : answer)) : answers
  }

  /** Hands the file over until nothing is left in it. Between the last answer and the end of the file nothing can come. */
  async function drain(opened: SpoolFile): Promise<void> {
    await Promise.resolve() // whoever began it appends first
    const isOver = () => ending.signal.aborted || file !== opened // taken over: whoever has it hands it over
    for (let from = opened.begin; !isOver(); ) {
      const piece = opened.read(from, PIECE_BYTES)
      for (let i = 0; i < piece.waiting.length; i += AT_ONCE)
        if (!(await handOver(piece.waiting.slice(i, i + AT_ONCE).map(({ submission }) => submission))) || isOver()) return
      counts.spool_broken += piece.broken
      from = piece.end
      opened.handed(from)
      if (from < opened.bytes) continue
      opened.remove()
      file = undefined
      draining = undefined
      return report()
    }
  }

  /** In order, until all of it is taken or refused for good; false when the port ends before. */
  async function handOver(batch: readonly Submission[]): Promise<boolean> {
    for (let rest = batch; ; ) {
      const answers = await inner.submit(rest)
      const at = answers.findIndex(isOpen)
      counts.refused += answers.slice(0, at < 0 ? answers.length : at).filter((answer) => SwornError.is(answer)).length
      if (at < 0) return true
      rest = rest.slice(at)
      if (ending.signal.aborted) return false
      await sleep(retryMs, undefined, { signal: ending.signal }).catch(() => {}) // looked at above
    }
  }

  function report(): void {
    say('somebody records again: what waited was handed over')
    for (const reason of ['spool_full', 'spool_broken', 'refused'] as const) {
      const dropped = counts[reason]
      counts[reason] = 0
      if (dropped > 0) lost({ dropped, reason })
    }
  }

  async function close(): Promise<void> {
    if (draining) await Promise.race([draining, sleep(closeMs, undefined, { ref: false })])
    ending.abort()
    await Promise.all([inner.close(), draining])
    file?.close()
    if (file) say(`events wait in ${path}: whoever opens the ledger next hands them over`)
  }

  return {
    ...inner,
    submit,
    flush: () => (file ? Promise.resolve() : inner.flush()), // what waits is on disk
    drained: async () => draining,
    close,
  }
}

/** Behind all that wait already. */
function nextOrder(file: SpoolFile): number {
  let next = 0
  for (let from = file.begin; from < file.bytes; ) {
    const { waiting, end } = file.read(from, PIECE_BYTES)
    next = waiting.reduce((most, { order }) => Math.max(most, order + 1), next)
    from = end
  }
  return next
}

function fullError(path: string): SwornError {
  return new SwornError('RECORDER_UNAVAILABLE', 'nobody records, and the spool takes no more', path)
}
