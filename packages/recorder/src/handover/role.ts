/**
 * A role: how this process reaches the ledger right now, as its recorder or as a client of another.
 *
 * Roles end: `undefined` from any call means that the role was lost before an answer came, and
 * whether the events were written is not known here. The door resends them; dedupe makes that harmless.
 * @module
 */
import type { Done, Operation } from '../ledger/operate.ts'
import type { Answer } from '../port/group-commit.ts'
import type { LedgerInfo, Reservation, Reserve, Submission } from '../port/types.ts'

export interface Role {
  readonly kind: 'recorder' | 'client'
  readonly info: LedgerInfo
  /** The process that appends. */
  readonly pid: number
  submit(batch: readonly Submission[]): Promise<readonly Answer[] | undefined>
  reserve(step: Reserve): Promise<Reservation | undefined>
  /** @throws SwornError APPEND_UNKNOWN */
  flush(): Promise<true | undefined>
  /** @throws SwornError APPEND_UNKNOWN, IO_FAILED */
  reopen(): Promise<true | undefined>
  /** @throws SwornError as the ledger does; LEDGER_BUSY where an older version records */
  operate(operation: Operation): Promise<Done | undefined>
  close(): Promise<void>
  /** Everything submitted is on disk when it returns true; false when only another process can do that, or the disk failed. */
  flushSync(): boolean
  /** The same, and the ledger is closed: for the end of the process, where nothing can be awaited. */
  closeSync(): boolean
  /** Resolves when the role is lost, never by `close`. */
  readonly lost: Promise<void>
}
