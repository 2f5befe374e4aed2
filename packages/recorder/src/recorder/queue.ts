/**
 * The queue between callers and the port: one batch per turn of the event loop, in call order, bounded.
 *
 * A `sync` event, and one that gates an action, sends the batch as soon as the present code returns. When `max` events or `maxBytes` bytes are unacknowledged, `wait` blocks
 * the caller until the port has put them on disk; a port that cannot do that makes the event wait in line, and a
 * line as long again is refused. `shed` drops the event, counts it, and reports the loss as soon as there is room.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { levelOf } from '../event/durability.ts'
import { rowChars } from '../port/size.ts'
import type { Ack, Submission } from '../port/types.ts'
import type { PortAnswer, RecordingPort, Spooled } from '../spool/port.ts'
import type { Meter } from './stats.ts'

export interface QueueOptions {
  readonly port: RecordingPort
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

export interface Waiter {
  /** `undefined`: the event was shed. */
  readonly resolve: (ack: Ack | Spooled | undefined) => void
  /** With the port's SwornError. */
  readonly reject: (error: SwornError) => void
}

export interface Queue {
  /** Settles `waiter` once. */
  push(submission: Submission, waiter: Waiter): void
  /** Hands over what is queued, in this call. */
  send(): void
  /** Resolves when everything pushed so far has an answer. */
  settled(): Promise<void>
  readonly outstanding: number
  readonly outstandingBytes: number
}

interface Entry {
  readonly submission: Submission
  readonly waiter: Waiter
}

interface Batch {
  readonly submissions: Submission[]
  readonly waiters: Waiter[]
  chars: number
}

const BLOCK_MS = 2000
const NOBODY: Waiter = { resolve: () => {}, reject: () => {} }
const emptyBatch = (): Batch => ({ submissions: [], waiters: [], chars: 0 })

export function createQueue({ port, meter, max, maxBytes, whenFull, gap, now }: QueueOptions): Queue {
  let pending = emptyBatch()
  const line: Entry[] = []
  const flights = new Set<Promise<void>>()
  let outstanding = 0
  let bytes = 0
  let scheduled = false
  let hurried = false
  let generation = 0
  let loss: Loss | undefined

  const isFull = () => outstanding >= max || bytes >= maxBytes

  function admit(submission: Submission, waiter: Waiter): void {
    const chars = submission.json.length + rowChars(submission)
    outstanding++
    bytes += chars
    pending.submissions.push(submission)
    pending.waiters.push(waiter)
    pending.chars += chars
    schedule(submission.level === 'sync' || levelOf(submission.eventType) === 'sync')
  }

  /** @param urgent somebody's action waits for it: no later than this call's own continuation, with all that came beside it */
  function schedule(urgent: boolean): void {
    if (!scheduled) {
      scheduled = true
      if (!urgent) setImmediate(send)
      process.prependListener('exit', send) // process.exit in this turn: before the port's own handler
    }
    if (!urgent || hurried) return
    hurried = true
    queueMicrotask(send)
  }

  function send(): void {
    if (scheduled) process.off('exit', send)
    scheduled = false
    hurried = false
    const batch = pending
    if (batch.waiters.length === 0) return
    pending = emptyBatch()
    meter.add('batches')
    const flight = deliver({ waiters: batch.waiters, chars: batch.chars }, submit(batch.submissions))
    flights.add(flight)
    void flight.finally(() => flights.delete(flight))
  }

  /** The payloads are with the port now: nothing here keeps them until they are answered. */
  async function deliver(batch: Omit<Batch, 'submissions'>, answered: Promise<readonly PortAnswer[]>): Promise<void> {
    const born = generation
    const startMs = performance.now()
    const answers = await answered
    meter.ack(performance.now() - startMs)
    for (let i = 0; i < batch.waiters.length; i++) settle(batch.waiters[i]!, answers[i])
    if (born === generation) {
      outstanding -= batch.waiters.length
      bytes -= batch.chars
    }
    advance()
  }

  function submit(submissions: readonly Submission[]): Promise<readonly PortAnswer[]> {
    const { length } = submissions
    return port.submit(submissions).catch((cause: unknown) => {
      const error = SwornError.is(cause) ? cause : new SwornError('APPEND_UNKNOWN', 'the port failed', '', { cause })
      return Array.from({ length }, () => error)
    })
  }

  function settle({ resolve, reject }: Waiter, answer: PortAnswer | undefined): void {
    if (answer === undefined || SwornError.is(answer)) {
      meter.add('failed')
      reject(answer ?? new SwornError('APPEND_UNKNOWN', 'the port gave no answer'))
    } else {
      meter.add('acknowledged')
      resolve(answer)
    }
  }

  /** Room has come: first the report of a loss, then who waits in line. */
  function advance(): void {
    if (loss && !isFull()) {
      const report = gap(loss)
      loss = undefined
      admit(report, NOBODY)
    }
    while (line.length > 0 && !isFull()) {
      const { submission, waiter } = line.shift()!
      admit(submission, waiter)
    }
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

  function shed({ resolve }: Waiter): void {
    meter.add('shed')
    const at = now()
    loss = { dropped: (loss?.dropped ?? 0) + 1, fromMs: loss?.fromMs ?? at, toMs: at }
    resolve(undefined)
  }

  function waitInLine(submission: Submission, waiter: Waiter): void {
    meter.add('waited')
    if (line.length === 0 && drain()) admit(submission, waiter)
    else if (line.length >= max) waiter.reject(new SwornError('APPEND_REFUSED', `more than ${max} events wait for the ledger`))
    else line.push({ submission, waiter })
  }

  return {
    push(submission, waiter) {
      if (!isFull() && line.length === 0) admit(submission, waiter)
      else if (whenFull === 'shed') shed(waiter)
      else waitInLine(submission, waiter)
    },
    send,
    async settled() {
      do {
        send()
        await Promise.all(flights)
      } while (pending.waiters.length + line.length + flights.size > 0)
    },
    get outstanding() {
      return outstanding + line.length
    },
    get outstandingBytes() {
      return bytes
    },
  }
}
