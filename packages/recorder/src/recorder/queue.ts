/**
 * The queue between callers and the port: one batch per turn of the event loop, in call order, bounded.
 *
 * A `sync` event sends the batch at once. When `max` events or `maxBytes` bytes are unacknowledged, `wait` blocks
 * the caller until the port has put them on disk; a port that cannot do that makes the event wait in line, and a
 * line as long again is refused. `shed` drops the event, counts it, and reports the loss as soon as there is room.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Ack, Port, Submission } from '../port/types.ts'
import type { Meter } from './stats.ts'

export interface QueueOptions {
  readonly port: Port
  readonly meter: Meter
  readonly max: number
  readonly maxBytes: number
  readonly whenFull: 'wait' | 'shed'
  /** Makes the submission that reports a loss. */
  readonly gap: (loss: Loss) => Submission
  /** Unix milliseconds. */
  readonly now: () => number
}

export interface Loss {
  readonly dropped: number
  readonly fromMs: number
  readonly toMs: number
}

export type Answer = Ack | { readonly shed: true }

export interface Queue {
  /** Rejects with the port's SwornError. */
  push(submission: Submission): Promise<Answer>
  /** Hands over what is queued, in this call. */
  send(): void
  /** Resolves when everything pushed so far has an answer. */
  settled(): Promise<void>
  readonly outstanding: number
  readonly outstandingBytes: number
}

interface Entry {
  readonly submission: Submission
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const BLOCK_MS = 2000

export function createQueue({ port, meter, max, maxBytes, whenFull, gap, now }: QueueOptions): Queue {
  let pending: Entry[] = []
  const line: Entry[] = []
  const flights = new Set<Promise<void>>()
  let outstanding = 0
  let bytes = 0
  let scheduled = false
  let generation = 0
  let loss: Loss | undefined

  const isFull = () => outstanding >= max || bytes >= maxBytes
  const sizeOf = (entry: Entry) => entry.submission.json.length

  function admit(entry: Entry): void {
    outstanding++
    bytes += sizeOf(entry)
    pending.push(entry)
    if (entry.submission.level === 'sync') send()
    else if (!scheduled) {
      scheduled = true
      setImmediate(send)
    }
  }

  function send(): void {
    scheduled = false
    const batch = pending
    if (batch.length === 0) return
    pending = []
    meter.add('batches')
    const flight = deliver(batch, generation, performance.now())
    flights.add(flight)
    void flight.finally(() => flights.delete(flight))
  }

  async function deliver(batch: readonly Entry[], born: number, startMs: number): Promise<void> {
    const answers = await submit(batch)
    meter.ack(performance.now() - startMs)
    for (const [i, entry] of batch.entries()) settle(entry, answers[i])
    if (born === generation) release(batch)
    advance()
  }

  async function submit(batch: readonly Entry[]): Promise<readonly (Ack | SwornError)[]> {
    try {
      return await port.submit(batch.map(({ submission }) => submission))
    } catch (cause) {
      const error = SwornError.is(cause) ? cause : new SwornError('APPEND_UNKNOWN', 'the port failed', '', { cause })
      return batch.map(() => error)
    }
  }

  function settle({ resolve, reject }: Entry, answer: Ack | SwornError | undefined): void {
    if (answer === undefined || SwornError.is(answer)) {
      meter.add('failed')
      reject(answer ?? new SwornError('APPEND_UNKNOWN', 'the port gave no answer'))
    } else {
      meter.add('acknowledged')
      resolve(answer)
    }
  }

  function release(batch: readonly Entry[]): void {
    outstanding -= batch.length
    for (const entry of batch) bytes -= sizeOf(entry)
  }

  /** Room has come: first the report of a loss, then who waits in line. */
  function advance(): void {
    if (loss && !isFull()) {
      const report = gap(loss)
      loss = undefined
      admit({ submission: report, resolve: () => {}, reject: () => {} })
    }
    while (line.length > 0 && !isFull()) admit(line.shift()!)
  }

  /** Blocks until the port has everything on disk; then none of it counts as outstanding. */
  function drain(): boolean {
    send()
    if (!port.flushSync(BLOCK_MS)) return false
    generation++
    outstanding = 0
    bytes = 0
    return true
  }

  function shed({ resolve }: Entry): void {
    meter.add('shed')
    const at = now()
    loss = { dropped: (loss?.dropped ?? 0) + 1, fromMs: loss?.fromMs ?? at, toMs: at }
    resolve({ shed: true })
  }

  function waitInLine(entry: Entry): void {
    meter.add('waited')
    if (line.length === 0 && drain()) admit(entry)
    else if (line.length >= max) entry.reject(new SwornError('APPEND_REFUSED', `more than ${max} events wait for the ledger`))
    else line.push(entry)
  }

  return {
    push: (submission) =>
      new Promise((resolve, reject) => {
        const entry = { submission, resolve, reject }
        if (!isFull() && line.length === 0) admit(entry)
        else if (whenFull === 'shed') shed(entry)
        else waitInLine(entry)
      }),
    send,
    async settled() {
      do {
        send()
        await Promise.all(flights)
      } while (pending.length + line.length + flights.size > 0)
    },
    get outstanding() {
      return outstanding + line.length
    },
    get outstandingBytes() {
      return bytes
    },
  }
}
