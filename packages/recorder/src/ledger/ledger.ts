/**
 * The ledger of one process: the only thing that appends, signs and rotates.
 *
 * Synchronous throughout, made to live in a thread of its own. Two kinds of failure only: *refused*
 * (nothing was written) and *unknown* (it may be on disk; resend it with the same event_id). After an
 * error of writing or syncing everything in memory is dropped and opened again from the disk, in a
 * new segment. Source: docs/format.md, "Commit protocol".
 * @module
 */
import type { SwornError } from '@sworn/verify'
import type { Ack, LedgerInfo, Reservation, Reserve } from '../port/types.ts'
import type { Erasure, ErasureRequest } from '../vault/erase.ts'
import type { Item } from './admit.ts'
import { appendAside, appendItems, appendReserved, type Promised } from './append.ts'
import type { Done, Operation } from './operate.ts'
import { createOperations } from './operations.ts'
import { createEnv, type LedgerOptions } from './options.ts'
import type { PackForm } from './pack.ts'
import type { PrunePolicy } from './prune.ts'
import { readRates } from './rates.ts'
import { createReservations } from './reserve.ts'
import type { Members, ReservedType } from './reserved.ts'
import { hold, usedOf } from './spent.ts'
import { createState } from './state.ts'

export type { Item } from './admit.ts'
export type { LedgerOptions } from './options.ts'

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
  /**
   * The same where the caller has more to do: the sync that events wait for runs beside it, and `done` at its end, once.
   * Answers that wait are asked for then, or after `sync`; where nothing waits, at once.
   */
  appendAside(items: readonly Item[], done: () => void): Promised
  /** @throws SwornError APPEND_UNKNOWN when what was written may be lost, LEDGER_CLOSED */
  sync(): void
  /**
   * Begins to sync what is written, while appends go on; `done` runs once, at its end. A failure poisons, as in `sync`.
   * @returns false where the platform cannot, or while one is under way: then nothing was begun
   * @throws SwornError as `sync`
   */
  syncAside(done: () => void): boolean
  /** Whatever is due by the clock: checkpoint, rotation, idle sessions, upkeep. Never throws; a failure poisons. */
  tick(): void
  /** When `tick` is wanted next, milliseconds of the injected clock. */
  nextTickAt(): number
  /** Appends a record of the ledger's own. @throws SwornError APPEND_REFUSED, APPEND_UNKNOWN, LEDGER_* */
  appendReserved(type: ReservedType, members: Members): Ack
  /** @throws SwornError APPEND_*, LEDGER_* when budgets are asked for and the ledger cannot be read */
  reserve(step: Reserve): Reservation
  /** SIGHUP: looks whether the active file was renamed, and goes on under its name. */
  reopen(): void
  /** Begins a new key epoch. @throws SwornError APPEND_UNKNOWN, LEDGER_* */
  rotateKey(): void
  /**
   * Drops whole segments below `upTo`. Returns the seq of log.prune; undefined when only what an earlier pruning left went.
   * @throws SwornError APPEND_REFUSED when it may not be done, APPEND_UNKNOWN, LEDGER_*
   */
  prune(upTo: number, policy: PrunePolicy): number | undefined
  /** Compresses closed segments; returns how many. @throws SwornError APPEND_REFUSED when one is not what was closed, APPEND_UNKNOWN */
  pack(form: PackForm): number
  /** Destroys a subject's key and all that was sealed under it, and says so. @throws SwornError APPEND_UNKNOWN, LEDGER_* */
  erase(request: ErasureRequest): Erasure
  /** One of `erase`, `prune` and `pack`, as data. @throws SwornError as they do */
  operate(operation: Operation): Done
  /** True when the record at `seq` has this entry_hash. */
  holds(seq: number, entryHash: string): boolean
  /** log.stop, checkpoint over it, lets go. Later appends are refused. @throws SwornError APPEND_UNKNOWN when the end could not be written */
  close(): void
  /** Lets go without writing: another process appends to it now. Later appends are refused. */
  abandon(): void
}

/** @throws SwornError LEDGER_*, ACKNOWLEDGED_LOST when the ledger may only be read; IO_FAILED when it cannot be opened */
export function openLedger(options: LedgerOptions): Ledger {
  const env = createEnv(options)
  const state = createState(env)
  const budgets = {
    used: (counter: string) => state.attempt((core) => usedOf(core, counter)),
    hold: (counter: string, amount: number) => hold(state.core, counter, amount),
  }
  const reserve = createReservations(env.now, budgets, () => state.attempt(readRates))
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
    appendAside: (items, done) => appendAside(state, items, done),
    appendReserved: (type, members) => appendReserved(state, type, members),
    reserve,
    ...createOperations(state),
  }
}
