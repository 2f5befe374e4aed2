/**
 * The ledger of one process: the only thing that appends, signs and rotates.
 *
 * Synchronous throughout, made to live in a thread of its own. Two kinds of failure only: *refused*
 * (nothing was written) and *unknown* (it may be on disk; resend it with the same event_id). After an
 * error of writing or syncing everything in memory is dropped and opened again from the disk, in a
 * new segment. Source: docs/format.md, "Commit protocol".
 * @module
 */
import { hostname } from 'node:os'
import { type HashName, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Ack, LedgerInfo, Reservation, Reserve } from '../port/types.ts'
import { type Admitted, admit, endIdleSession, type Item } from './admit.ts'
import { checkpointDueAt, checkpointWhenDue } from './checkpoints.ts'
import { stop } from './close.ts'
import { linkReserved, sync, write, writeWhenFull } from './commit.ts'
import type { Core, Env } from './core.ts'
import { errorCode, type FileOps, nodeFileOps } from './file-ops.ts'
import { rotateKey } from './key-rotation.ts'
import { ledgerLayout } from './layout.ts'
import { openCore, type Spent } from './open.ts'
import { type PrunePolicy, prune } from './prune.ts'
import { entryHashAt } from './replay.ts'
import { createBuckets } from './reserve.ts'
import { isQuiet, type Members, type ReservedType } from './reserved.ts'
import { followRename, movedAway, rotate, rotationDue } from './rotation.ts'
import { listSegments } from './segments.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

export type { Item } from './admit.ts'

const DAY_MS = 86_400_000
const IDLE_SESSION_MS = DAY_MS
const REOPEN_EVERY_MS = 250

export interface LedgerOptions {
  /** A directory, or a `.jsonl` file. */
  readonly path: string
  /** SWORN_HOME: keys and the index of known ledgers. */
  readonly home: string
  readonly fileOps?: FileOps
  readonly now?: () => number
  /** Cryptographically random bytes. */
  readonly random?: (bytes: number) => Uint8Array
  /** Of a new ledger; default sha256. */
  readonly hash?: HashName
  /** Of a new ledger; default none. */
  readonly recordSignatures?: 'none' | 'all'
  /** Of a new ledger; default `sworn.local/` + log_id. */
  readonly origin?: string
  /** Default 256 MiB. */
  readonly rotateBytes?: number
  /** Default 24 h. */
  readonly rotateMs?: number
  /** True: a missing ledger is an error, never made. */
  readonly requireExisting?: boolean
  readonly version?: string
  readonly pid?: number
  readonly host?: string
}

export interface Ledger {
  readonly info: LedgerInfo
  /** Records written, and how many of them are known to be on disk. */
  readonly size: number
  readonly durableSize: number
  readonly unsyncedBytes: number
  /** True between a failure and the next successful opening. */
  readonly poisoned: boolean
  /** Answers in the order of the items: Ack, or SwornError APPEND_REFUSED, APPEND_UNKNOWN, EVENT_ID_CONFLICT, LEDGER_*. */
  append(items: readonly Item[]): readonly (Ack | SwornError)[]
  /** @throws SwornError APPEND_UNKNOWN when what was written may be lost, LEDGER_CLOSED */
  sync(): void
  /** Whatever is due by the clock: checkpoint, rotation, idle sessions, upkeep. Never throws; a failure poisons. */
  tick(): void
  /** When `tick` is wanted next, milliseconds of the injected clock. */
  nextTickAt(): number
  /** Appends a record of the ledger's own. @throws SwornError APPEND_REFUSED, APPEND_UNKNOWN, LEDGER_* */
  appendReserved(type: ReservedType, members: Members): Ack
  reserve(step: Reserve): Reservation
  /** SIGHUP: looks whether the active file was renamed, and goes on under its name. */
  reopen(): void
  /** Begins a new key epoch. @throws SwornError APPEND_UNKNOWN, LEDGER_* */
  rotateKey(): void
  /** Drops whole segments below `upTo`. @throws SwornError APPEND_REFUSED when it may not be done, APPEND_UNKNOWN, LEDGER_* */
  prune(upTo: number, policy: PrunePolicy): void
  /** True when the record at `seq` has this entry_hash. */
  holds(seq: number, entryHash: string): boolean
  /** log.stop, checkpoint over it, lets go. Later appends are refused. @throws SwornError APPEND_UNKNOWN when the end could not be written */
  close(): void
}

/** @throws SwornError LEDGER_*, ACKNOWLEDGED_LOST when the ledger may only be read; IO_FAILED when it cannot be opened */
export function openLedger(options: LedgerOptions): Ledger {
  const env = createEnv(options)
  const state = createState(env)
  const reserve = createBuckets(env.now)
  return {
    info: { logId: state.core.identity.logId, origin: state.core.identity.origin, path: env.layout.path, macKey: state.core.macKey },
    get size() {
      return state.core.size
    },
    get durableSize() {
      return state.core.durableSize
    },
    get unsyncedBytes() {
      return state.unsynced()
    },
    get poisoned() {
      return state.poisoned
    },
    append: (items) => appendItems(state, items),
    sync: () => state.attempt((core) => sync(core)),
    tick: () => tick(state),
    nextTickAt: () => nextTickAt(state),
    appendReserved: (type, members) => appendReserved(state, type, members),
    reserve,
    reopen: () => state.attempt((core) => (movedAway(core) ? followRename(core) : sync(core))),
    rotateKey: () => state.attempt(rotateKey),
    prune: (upTo, policy) => state.attempt((core) => prune(core, upTo, policy)),
    holds: (seq, entryHash) => state.attempt((core) => seq < core.size && holds(core, seq, entryHash)),
    close: () => close(state),
  }
}

function createEnv(options: LedgerOptions): Env {
  const { fileOps: ops = nodeFileOps, path, home } = options
  return {
    ops,
    primitives: nodePrimitives,
    layout: ledgerLayout(ops, path),
    home,
    now: options.now ?? Date.now,
    random: options.random ?? ((bytes) => crypto.getRandomValues(new Uint8Array(bytes))),
    version: options.version ?? '0',
    pid: options.pid ?? process.pid,
    host: options.host ?? hostname(),
    rotateBytes: options.rotateBytes ?? 256 << 20,
    rotateMs: options.rotateMs ?? DAY_MS,
    requireExisting: options.requireExisting ?? false,
    creation: {
      hash: options.hash ?? 'sha256',
      recordSignatures: options.recordSignatures ?? 'none',
      ...(options.origin !== undefined && { origin: options.origin }),
    },
  }
}

/** The present core, and what happens when it fails. */
interface State {
  readonly core: Core
  readonly upkeep: Upkeep
  readonly poisoned: boolean
  unsynced(): number
  /** Why nothing can be appended now, after trying to open again; `undefined` when all is well. */
  refusal(): SwornError | undefined
  /** Runs a step that writes. A failure of the file system poisons and becomes APPEND_UNKNOWN. */
  attempt<T>(step: (core: Core) => T): T
  end(): void
}

function createState(env: Env): State {
  let core = openOrThrow(env)
  let upkeep = createUpkeep(core)
  let spent: Spent | undefined
  let retryAt = 0
  let final: SwornError | undefined

  function poison(): void {
    const { path, durableEnd, syncFailed } = core.writer
    spent = { path, durableEnd, syncFailed }
    retryAt = 0
    try {
      core.writer.close()
    } catch {
      // the descriptor is spent either way
    }
  }

  function openAgain(): SwornError | undefined {
    if (env.now() < retryAt) return new SwornError('APPEND_REFUSED', 'the ledger could not be opened again', env.layout.path)
    try {
      core = openOrThrow(env, spent)
      upkeep = createUpkeep(core)
      spent = undefined
      return undefined
    } catch (e) {
      retryAt = env.now() + REOPEN_EVERY_MS
      if (SwornError.is(e) && e.code !== 'IO_FAILED') final = e
      return (
        final ?? new SwornError('APPEND_REFUSED', `the ledger could not be opened again: ${describe(e)}`, env.layout.path, { cause: e })
      )
    }
  }

  function refusal(): SwornError | undefined {
    return final ?? (spent ? openAgain() : undefined)
  }

  return {
    get core() {
      return core
    },
    get upkeep() {
      return upkeep
    },
    get poisoned() {
      return spent !== undefined
    },
    unsynced: () => (spent || final ? 0 : core.batch.bytes + core.writer.end - core.writer.durableEnd),
    refusal,
    attempt(step) {
      const refused = refusal()
      if (refused) throw refused
      try {
        return step(core)
      } catch (e) {
        if (SwornError.is(e, 'APPEND_REFUSED')) throw e
        poison()
        if (SwornError.is(e, 'LEDGER_CORRUPT')) throw (final = e)
        throw new SwornError('APPEND_UNKNOWN', `the ledger was poisoned: ${describe(e)}`, env.layout.path, { cause: e })
      }
    },
    end() {
      final = new SwornError('LEDGER_CLOSED', 'the ledger was closed', env.layout.path)
    },
  }
}

function openOrThrow(env: Env, spent?: Spent): Core {
  try {
    return openCore(env, spent)
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('IO_FAILED', `the ledger could not be opened: ${describe(e)}`, env.layout.path, { cause: e })
  }
}

/** Our own message, or the code of the file system; never anything else. */
function describe(e: unknown): string {
  return SwornError.is(e) ? e.message : errorCode(e) || 'an unexpected error'
}

function appendItems(state: State, items: readonly Item[]): (Ack | SwornError)[] {
  const answers: (Admitted | SwornError)[] = []
  try {
    state.attempt((core) => {
      if (movedAway(core)) followRename(core)
      for (const item of items) {
        answers.push(admit(core, item))
        writeWhenFull(core)
      }
      write(core)
      if (needsSync(core, items, answers)) sync(core)
      if (rotationDue(core)) rotate(core)
    })
  } catch (e) {
    return items.map((_, i) => failedAnswer(state, answers[i], e))
  }
  return answers.map((answer) => toAck(state.core, answer))
}

/** A duplicate is answered only once the record it repeats is on disk. */
function needsSync(core: Core, items: readonly Item[], answers: readonly (Admitted | SwornError)[]): boolean {
  return items.some((item, i) => {
    const answer = answers[i]
    if (answer === undefined || SwornError.is(answer)) return SwornError.is(answer, 'EVENT_ID_CONFLICT')
    return answer.seq >= core.durableSize && (answer.known || item.level === 'sync')
  })
}

function toAck(core: Core, answer: Admitted | SwornError): Ack | SwornError {
  if (SwornError.is(answer)) return answer
  return { logId: core.identity.logId, seq: answer.seq, entryHash: answer.entryHash, durable: answer.seq < core.durableSize }
}

/** What was linked is unknown, unless it was synced; what was not is refused. */
function failedAnswer(state: State, answer: Admitted | SwornError | undefined, failure: unknown): Ack | SwornError {
  const error = SwornError.is(failure) ? failure : new SwornError('APPEND_UNKNOWN', 'an unexpected error', '', { cause: failure })
  if (answer === undefined) {
    return error.code === 'APPEND_UNKNOWN'
      ? new SwornError('APPEND_REFUSED', 'the ledger failed before this event', error.at, { cause: error })
      : error
  }
  if (SwornError.is(answer)) return answer
  return answer.seq < state.core.durableSize ? toAck(state.core, answer) : error
}

function appendReserved(state: State, type: ReservedType, members: Members): Ack {
  return state.attempt((core) => {
    const linked = linkReserved(core, type, members)
    if (isQuiet(type)) write(core)
    else sync(core)
    return { logId: core.identity.logId, ...linked, durable: linked.seq < core.durableSize }
  })
}

function tick(state: State): void {
  try {
    state.attempt((core) => {
      if (movedAway(core)) followRename(core)
      for (const id of core.sessions.idle(core.env.now() - IDLE_SESSION_MS)) endIdleSession(core, id)
      write(core)
      checkpointWhenDue(core)
      if (rotationDue(core)) rotate(core)
      state.upkeep.step()
    })
  } catch {
    // poisoned or refused: the next append says so
  }
}

function nextTickAt(state: State): number {
  if (state.poisoned) return Number.POSITIVE_INFINITY
  const { core, upkeep } = state
  const idle = core.sessions.oldest()
  const { rotateMs, now } = core.env
  return Math.min(
    checkpointDueAt(core),
    core.size > core.writer.firstSeq + 1 ? core.segmentStartedAt + rotateMs : Number.POSITIVE_INFINITY,
    idle === undefined ? Number.POSITIVE_INFINITY : idle + IDLE_SESSION_MS + 1,
    upkeep.pending() ? now() : Number.POSITIVE_INFINITY,
  )
}

function holds(core: Core, seq: number, entryHash: string): boolean {
  sync(core)
  return entryHashAt(core.env, listSegments(core.env), seq) === entryHash
}

function close(state: State): void {
  if (state.refusal()?.code === 'LEDGER_CLOSED') return
  try {
    state.attempt(stop)
  } finally {
    state.end()
  }
}
