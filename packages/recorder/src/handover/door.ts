/**
 * The door of a process to its ledger: one port that survives every change of role.
 *
 * Unanswered events are kept in order and sent again, under the same ids, to whoever records next:
 * the appender's dedupe makes each appear once. The newest durable acknowledgement is presented to
 * every new recorder, this process included. Source: docs/format.md, several processes.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Done, Operation } from '../ledger/operate.ts'
import type { Answer } from '../port/group-commit.ts'
import type { Port, Submission } from '../port/types.ts'
import type { KnownEntry } from './messages.ts'
import { absentError, createPendingList, type Pending, unknownError } from './pending.ts'
import type { Role } from './role.ts'
import { createRoleSearch } from './role-search.ts'
import type { Setup } from './setup.ts'

/** A port that can also be closed where nothing may be awaited, when its own thread holds the ledger. */
export interface Door extends Port {
  /** True when everything is on disk and the ledger is closed; false when another process records it. */
  closeSync(): boolean
  /** By whoever records; asked again of the next when that one is lost. @throws SwornError as the ledger does, LEDGER_BUSY, RECORDER_UNAVAILABLE */
  operate(operation: Operation): Promise<Done>
}

/** @throws SwornError LEDGER_BUSY, LEDGER_*, IO_FAILED when there is no role to begin with */
export async function openDoor(setup: Setup): Promise<Door> {
  const { ackMs, lazyAckMs, operateMs } = setup.patience
  let newest: KnownEntry | undefined
  let holderPid = 0
  let closed = false
  const pending = createPendingList(() => why())
  const search = createRoleSearch(setup, {
    newest: () => newest,
    adopted(role) {
      holderPid = role.pid
      for (const item of pending.all()) send(role, item) // before anything newer
    },
    failed: (error) => pending.end((item) => (item.sent ? unknownError(why()) : refusedError(error))),
    troubled: (error) => isOfDisk(error) && pending.endAwaited(),
  })

  const why = () => ({ pid: holderPid, trouble: search.trouble() })

  function send(role: Role, item: Pending): void {
    item.sent = true
    void role.submit(item.batch).then((answers) => {
      if (answers && pending.settle(item, answers)) newest = newestDurable(answers, newest)
    })
  }

  function submit(batch: readonly Submission[]): Promise<readonly Answer[]> {
    const fatal = search.fatal()
    if (closed || fatal) return Promise.resolve(batch.map(() => (fatal ? refusedError(fatal) : closedError())))
    return new Promise((resolve) => {
      const awaited = batch.some((event) => event.level === 'sync')
      const item = pending.add(batch, { awaited, limitMs: awaited ? ackMs : lazyAckMs }, resolve)
      const role = search.role()
      if (role) send(role, item)
      else if (isOfDisk(search.trouble())) pending.endAwaited()
    })
  }

  /** Runs `step` against the current role, and again against the next when that one is lost. */
  async function withRole<T>(step: (role: Role) => Promise<T | undefined>, limitMs: number): Promise<T> {
    const dueMs = performance.now() + limitMs
    for (;;) {
      const fatal = search.fatal()
      if (closed || fatal) throw fatal ? refusedError(fatal) : closedError()
      const leftMs = dueMs - performance.now()
      if (leftMs <= 0) throw absentError(why())
      const role = search.role()
      const result = await within(role ? step(role) : search.ready().then(() => undefined), leftMs)
      if (result !== undefined) return result
    }
  }

  async function flush(limitMs = lazyAckMs): Promise<void> {
    await withRole((role) => role.flush(), limitMs)
  }

  async function close(): Promise<void> {
    if (closed) return
    const unfinished = search.role() !== undefined || pending.size() > 0
    if (!search.fatal() && unfinished) await flush(pending.size() > 0 ? lazyAckMs : ackMs).catch(() => undefined) // what stayed unanswered is told below
    closed = true
    await search.stop()
    pending.end(() => unknownError(why()))
  }

  const first = await search.start()
  return {
    info: first.info,
    submit,
    reserve: (step) => withRole((role) => role.reserve(step), ackMs),
    flush: () => flush(),
    async reopen() {
      await withRole((role) => role.reopen(), lazyAckMs)
    },
    operate: (operation) => withRole((role) => role.operate(operation), operateMs),
    flushSync: () => search.role()?.flushSync() ?? false,
    close,
    closeSync() {
      if (closed) return true
      closed = true
      return search.role()?.closeSync() ?? false
    },
  }
}

/** The directory is gone, full or closed to us: no patience with another process helps, and an action does not wait. */
const isOfDisk = (trouble: SwornError | undefined) => trouble?.code === 'IO_FAILED'

const closedError = () => new SwornError('LEDGER_CLOSED', 'the recorder was closed')

/** Nothing was written, and why. */
function refusedError(cause: SwornError): SwornError {
  return new SwornError('APPEND_REFUSED', `the ledger cannot be written: ${cause.code}`, cause.at, { cause })
}

function newestDurable(answers: readonly Answer[], known: KnownEntry | undefined): KnownEntry | undefined {
  return answers.reduce<KnownEntry | undefined>((best, answer) => {
    if (SwornError.is(answer) || !answer.durable || (best && best.seq >= answer.seq)) return best
    return { logId: answer.logId, seq: answer.seq, entryHash: answer.entryHash }
  }, known)
}

/** The result of `step`, or undefined when it takes longer than `limitMs`. */
async function within<T>(step: Promise<T>, limitMs: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), limitMs)
  try {
    return await Promise.race([step, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
