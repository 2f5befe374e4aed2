/**
 * Group commit: many submissions, one write, one fdatasync.
 *
 * Everything queued while the previous commit ran goes into the next (at most 4,096 records and
 * 4 MiB). A commit with a `sync` event is on disk before anything of it is acknowledged; the others
 * are acknowledged when written and are on disk at most `syncDelayMs` later.
 * Owns the only reference through which a ledger is appended to. Source: docs/format.md, commit protocol.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Done, Operation } from '../ledger/operate.ts'
import { rowChars } from './size.ts'
import type { Ack, LedgerInfo, Reservation, Reserve, Submission } from './types.ts'

/** A submission and the producer it came from; together with `eventId` the dedupe key. */
export type Item = Submission & {
  readonly producerId: string
  /** True for events of other processes: the ledger checks them whole. */
  readonly untrusted?: boolean
}
export type Answer = Ack | SwornError

/** The part of a ledger that is used here, written out so that a test can stand in for it. */
export interface AppendableLedger {
  readonly info: LedgerInfo
  readonly unsyncedBytes: number
  append(items: readonly Item[]): readonly Answer[]
  /** The same, but what waits for the disk waits beside the caller: its answers are there when `done` runs, or after `sync`. */
  appendAside?(items: readonly Item[], done: () => void): Promised
  sync(): void
  /** Begins to sync beside the appends; false: it cannot. `done` runs at the end, whether it failed or not. */
  syncAside?(done: () => void): boolean
  tick(): void
  /** Milliseconds since the epoch, of the clock passed in; Infinity when nothing is due. */
  nextTickAt(): number
  reserve(step: Reserve): Reservation
  /** Looks whether the active file was renamed, and goes on under its name. */
  reopen(): void
  operate(operation: Operation): Done
  close(): void
}

/** What was appended. */
interface Promised {
  readonly waits: boolean
  answers(): readonly Answer[]
}

export interface GroupCommitOptions {
  readonly now?: () => number
  /** 0 to 50; how far fdatasync may stay behind a `batch` acknowledgement. */
  readonly syncDelayMs?: number
  /**
   * True where this thread has more to do than to append: the delayed fdatasync then runs beside it, and that which several
   * events wait for. For one alone it does not: there is nothing else to do, and a thread that is woken costs time.
   */
  readonly syncsAside?: boolean
}

export interface GroupCommit {
  readonly info: LedgerInfo
  /** Answers in the order of `items`, when all of them reached their level; never rejects. */
  append(items: readonly Item[]): Promise<readonly Answer[]>
  reserve(step: Reserve): Reservation
  /** Writes and syncs everything queued, now. @throws SwornError APPEND_UNKNOWN */
  flush(): void
  /** Writes everything queued, then has the ledger look at its files again. @throws SwornError APPEND_UNKNOWN, IO_FAILED, LEDGER_CLOSED */
  reopen(): void
  /** Writes everything queued, then has the ledger do it; meanwhile nothing is appended. @throws SwornError as the ledger does, LEDGER_CLOSED */
  operate(operation: Operation): Done
  /** Flushes, then closes the ledger. Later calls are answered with LEDGER_CLOSED. */
  close(): void
  /** Lets go without touching the ledger: another process writes it now. What is queued is answered APPEND_REFUSED, what waits for the disk APPEND_UNKNOWN. */
  abandon(): void
}

interface Waiting {
  readonly items: readonly Item[]
  readonly answers: Answer[]
  readonly resolve: (answers: readonly Answer[]) => void
}

interface Held {
  readonly items: readonly Item[]
  readonly promised: Promised
  readonly done: () => void
}

const MAX_RECORDS = 4096
const MAX_UNITS = 4 * 1024 * 1024
const MAX_DELAY_MS = 50
/** Events that wait for the disk and do so beside this thread. */
const SEVERAL = 2
/** Longest delay that setTimeout takes. */
const MAX_TIMER_MS = 0x7fffffff

/** Takes over `ledger`: nobody else may append to it or close it. */
export function createGroupCommit(ledger: AppendableLedger, options: GroupCommitOptions = {}): GroupCommit {
  const { now = Date.now, syncDelayMs = 5, syncsAside = false } = options
  if (!(syncDelayMs >= 0 && syncDelayMs <= MAX_DELAY_MS)) throw new RangeError(`syncDelayMs must be 0 to ${MAX_DELAY_MS}`)
  const queue: Waiting[] = []
  let drain: NodeJS.Immediate | undefined
  let syncTimer: NodeJS.Timeout | undefined
  let tickTimer: NodeJS.Timeout | undefined
  let tickDue = 0
  let closed = false
  let aside = false
  /** The commit that waits for the disk beside this thread; the next one begins when it is answered. */
  let held: Held | undefined

  function commitAll(): void {
    clearImmediate(drain)
    drain = undefined
    while (queue.length > 0 && !held) commit(syncsAside)
    arm()
  }

  /** When this returns, nothing waits and everything is answered. */
  function commitNow(): void {
    if (held) quietly(() => ledger.sync()) // where that fails the answers tell
    answerHeld()
    while (queue.length > 0) commit(false)
    commitAll()
  }

  /** Writes as much of the queue as one commit may hold. */
  function commit(mayWait: boolean): void {
    const items = takeItems(queue)
    const done = () => {
      if (held?.done !== done) return
      answerHeld()
      commitAll()
    }
    const promised = appendOrUnknown(ledger, items, mayWait ? done : undefined)
    held = { items, promised, done }
    if (promised.waits)
      stopDelay() // it is being synced
    else answerHeld()
  }

  function answerHeld(): void {
    if (!held) return
    const { items, promised } = held
    held = undefined
    settle(queue, items.length, promised.answers())
  }

  /** @param waitedMs how long the oldest unsynced byte may have waited already */
  function arm(waitedMs = 0): void {
    if (closed) return
    if (ledger.unsyncedBytes === 0) stopDelay()
    else if (!syncTimer && !aside && !held) syncTimer = setTimeout(syncNow, Math.max(0, syncDelayMs - waitedMs))
    const due = ledger.nextTickAt()
    if (tickTimer && tickDue <= due) return // set anew at each commit it would never run out under load
    clearTimeout(tickTimer)
    tickTimer = undefined
    if (due === Number.POSITIVE_INFINITY) return
    tickDue = due
    tickTimer = setTimeout(tickNow, Math.min(Math.max(0, due - now()), MAX_TIMER_MS))
    tickTimer.unref() // a checkpoint that is due does not keep a finished program alive; close() makes it
  }

  /** All is on disk: the delay is that of what comes next. */
  function stopDelay(): void {
    clearTimeout(syncTimer)
    syncTimer = undefined
  }

  function syncNow(): void {
    stopDelay()
    quietly(() => {
      if (!syncsAside || !beginSync()) ledger.sync()
    })
  }

  /** What is written while it runs waits for the next one, from the moment this one began. */
  function beginSync(): boolean {
    if (ledger.unsyncedBytes === 0) return true // a commit with a sync event came in between
    const begun = performance.now()
    aside =
      ledger.syncAside?.(() => {
        aside = false
        arm(performance.now() - begun)
      }) ?? false
    return aside
  }

  function tickNow(): void {
    tickTimer = undefined
    quietly(() => ledger.tick())
    arm()
  }

  function stop(): void {
    closed = true
    clearTimeout(syncTimer)
    clearTimeout(tickTimer)
  }

  return {
    info: ledger.info,
    append(items) {
      if (closed) return Promise.resolve(items.map(() => new SwornError('LEDGER_CLOSED', 'the recorder was closed')))
      return new Promise((resolve) => {
        queue.push({ items, answers: [], resolve })
        drain ??= setImmediate(commitAll)
      })
    },
    reserve: (step) => ledger.reserve(step),
    flush() {
      commitNow()
      stopDelay()
      ledger.sync()
    },
    reopen() {
      if (closed) throw new SwornError('LEDGER_CLOSED', 'the recorder was closed')
      commitNow()
      ledger.reopen()
    },
    operate(operation) {
      if (closed) throw new SwornError('LEDGER_CLOSED', 'the recorder was closed')
      commitNow()
      try {
        return ledger.operate(operation)
      } finally {
        arm()
      }
    },
    close() {
      if (closed) return
      commitNow()
      stop()
      ledger.close()
    },
    abandon() {
      stop()
      clearImmediate(drain)
      if (held) settle(queue, held.items.length, held.items.map(unsyncedError))
      held = undefined
      for (const { items, resolve } of queue.splice(0)) resolve(items.map(fencedError))
    },
  }
}

/** Nothing was written: this process is not the recorder any more. */
export function fencedError(): SwornError {
  return new SwornError('APPEND_REFUSED', 'another process records this ledger now')
}

/** It was written, and nobody waited for the disk. */
function unsyncedError(): SwornError {
  return new SwornError('APPEND_UNKNOWN', 'another process took this ledger over before the event was on disk')
}

/** The ledger poisons itself on a failed sync or tick and says so in its next answers. */
function quietly(step: () => void): void {
  try {
    step()
  } catch (error) {
    if (!SwornError.is(error)) throw error
  }
}

/** Gives the answers of a commit to the first `count` that have none, and those that are complete to their callers. */
function settle(queue: Waiting[], count: number, answers: readonly Answer[]): void {
  let given = 0
  while (queue[0]) {
    const { items: asked, answers: told, resolve } = queue[0]
    while (given < count && told.length < asked.length)
      told.push(answers[given++] ?? new SwornError('APPEND_UNKNOWN', 'the ledger gave no answer'))
    if (told.length < asked.length) return
    queue.shift()
    resolve(told)
  }
}

/** The first of all that have no answer, in order. */
function takeItems(queue: readonly Waiting[]): readonly Item[] {
  const taken: Item[] = []
  let units = 0
  for (const { items, answers } of queue) {
    for (let n = answers.length; n < items.length; n++) {
      const item = items[n]!
      const length = (item.utf8?.length ?? item.json.length) + rowChars(item)
      if (taken.length > 0 && (taken.length >= MAX_RECORDS || units + length > MAX_UNITS)) return taken
      taken.push(item)
      units += length
    }
  }
  return taken
}

/** @param done set where the answers may wait for the disk beside the caller; runs when they are there */
function appendOrUnknown(ledger: AppendableLedger, items: readonly Item[], done: (() => void) | undefined): Promised {
  try {
    if (done && ledger.appendAside && isAwaited(items)) return ledger.appendAside(items, done)
    const answers = items.length === 0 ? [] : ledger.append(items)
    return { waits: false, answers: () => answers }
  } catch (error) {
    const answer = SwornError.is(error) ? error : new SwornError('APPEND_UNKNOWN', 'the ledger failed unexpectedly', '', { cause: error })
    return { waits: false, answers: () => items.map(() => answer) }
  }
}

/** Several events wait for the disk: others may come meanwhile. */
function isAwaited(items: readonly Item[]): boolean {
  let awaited = 0
  for (const { level } of items) if (level === 'sync' && ++awaited === SEVERAL) return true
  return false
}
