/**
 * The door of a process to its ledger: one port that survives every change of role.
 *
 * Unanswered events are kept in order and sent again, under the same ids, to whoever records next:
 * the appender's dedupe makes each appear once. What waited too long is answered RECORDER_UNAVAILABLE
 * (never sent: refused) or APPEND_UNKNOWN (sent, no answer). The newest durable acknowledgement is
 * presented to every new recorder, this process included. Source: docs/format.md, several processes.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Answer } from '../port/group-commit.ts'
import type { LedgerInfo, Port, Submission } from '../port/types.ts'
import { establish } from './establish.ts'
import type { KnownEntry } from './messages.ts'
import type { Role } from './role.ts'
import type { Setup } from './setup.ts'

interface Pending {
  readonly batch: readonly Submission[]
  readonly settle: (answers: readonly Answer[]) => void
  readonly dueMs: number
  sent: boolean
}

const SWEEP_MS = 100
/** Pause after a failed search for a role that may succeed later (LEDGER_BUSY). */
const RETRY_MS = 250

/** @throws SwornError as `establish` does, when there is no role to begin with */
export async function openDoor(setup: Setup): Promise<Port> {
  const door = createDoor(setup)
  return door.open()
}

function createDoor(setup: Setup) {
  const pending = new Set<Pending>()
  let role: Role | undefined
  let ready = Promise.withResolvers<void>()
  let newest: KnownEntry | undefined
  let fatal: SwornError | undefined
  let closed = false
  let holderPid = 0

  /** Adopts a role and sends what is unanswered, in order, before anything newer. */
  function adopt(next: Role): void {
    role = next
    holderPid = next.pid
    for (const item of pending) send(next, item)
    ready.resolve()
    void next.lost.then(() => {
      if (role !== next) return
      role = undefined
      ready = Promise.withResolvers()
      if (!closed) void search()
    })
  }

  async function search(): Promise<void> {
    while (!closed && !fatal) {
      try {
        const found = await establish(setup, newest)
        if (closed) return void (await found.close())
        return adopt(found)
      } catch (error) {
        if (!SwornError.is(error, 'LEDGER_BUSY')) return fail(error)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** The ledger itself refuses: read-only until the operator decides. */
  function fail(error: unknown): void {
    fatal = SwornError.is(error) ? error : new SwornError('RECORDER_UNAVAILABLE', 'the recorder failed unexpectedly', '', { cause: error })
    for (const item of pending) finish(item, item.sent ? unknownError() : refusedError(fatal))
    ready.resolve()
  }

  function send(to: Role, item: Pending): void {
    item.sent = true
    void to.submit(item.batch).then((answers) => {
      if (!answers || !pending.delete(item)) return // lost: the next role gets it; or it was answered by the clock
      newest = newestDurable(answers, newest)
      item.settle(answers)
    })
  }

  function finish(item: Pending, error: SwornError): void {
    if (pending.delete(item)) item.settle(item.batch.map(() => error))
  }

  const unknownError = () => new SwornError('APPEND_UNKNOWN', `process ${holderPid} took the event and did not answer in time`)
  const absentError = () => new SwornError('RECORDER_UNAVAILABLE', `no recorder answered in time, the last was process ${holderPid}`)

  const sweep = setInterval(() => {
    const nowMs = performance.now()
    for (const item of pending) if (item.dueMs <= nowMs) finish(item, item.sent ? unknownError() : absentError())
  }, SWEEP_MS)
  sweep.unref()

  function submit(batch: readonly Submission[]): Promise<readonly Answer[]> {
    if (closed) return Promise.resolve(batch.map(() => new SwornError('LEDGER_CLOSED', 'the recorder was closed')))
    if (fatal) return Promise.resolve(batch.map(() => refusedError(fatal)))
    const { ackMs, lazyAckMs } = setup.patience
    const dueMs = performance.now() + (batch.some((item) => item.level === 'sync') ? ackMs : lazyAckMs)
    return new Promise((resolve) => {
      const item = { batch, settle: resolve, dueMs, sent: false }
      pending.add(item)
      if (role) send(role, item)
    })
  }

  /** Runs `step` against the current role, and again against the next when that one is lost; at most `ackMs`. */
  async function withRole<T>(step: (role: Role) => Promise<T | undefined>, limitMs: number): Promise<T> {
    const dueMs = performance.now() + limitMs
    for (;;) {
      if (fatal) throw refusedError(fatal)
      if (closed) throw new SwornError('LEDGER_CLOSED', 'the recorder was closed')
      const leftMs = dueMs - performance.now()
      if (leftMs <= 0) throw absentError()
      const result = await within(role ? step(role) : ready.promise.then(() => undefined), leftMs)
      if (result !== undefined) return result
    }
  }

  async function flush(): Promise<void> {
    const { lazyAckMs } = setup.patience
    await withRole((current) => current.flush(), lazyAckMs)
  }

  async function close(): Promise<void> {
    if (closed) return
    if (!fatal && (role || pending.size > 0)) await flush().catch(() => undefined) // unanswered events are told below
    closed = true
    clearInterval(sweep)
    const last = role
    role = undefined
    await last?.close()
    for (const item of pending) finish(item, unknownError())
  }

  return {
    async open(): Promise<Port> {
      const first = await establish(setup, undefined)
      adopt(first)
      return {
        info: publicInfo(first.info),
        submit,
        reserve: (step) => withRole((current) => current.reserve(step), setup.patience.ackMs),
        flush,
        flushSync: () => false, // nothing can be awaited in this thread; the caller's end blocks instead
        close,
      }
    },
  }
}

const publicInfo = (info: LedgerInfo): LedgerInfo => ({ ...info })

/** Nothing was written, and why. */
function refusedError(cause: SwornError | undefined): SwornError {
  return new SwornError('APPEND_REFUSED', `the ledger cannot be written: ${cause?.code ?? 'RECORDER_UNAVAILABLE'}`, cause?.at ?? '', {
    cause,
  })
}

function newestDurable(answers: readonly Answer[], known: KnownEntry | undefined): KnownEntry | undefined {
  return answers.reduce<KnownEntry | undefined>((best, answer) => {
    if (SwornError.is(answer) || !answer.durable || (best && best.seq >= answer.seq)) return best
    return { logId: answer.logId, seq: answer.seq, entryHash: answer.entryHash }
  }, known)
}

function within<T>(step: Promise<T>, limitMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), limitMs)
    step.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
