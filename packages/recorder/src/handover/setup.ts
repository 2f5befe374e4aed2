/**
 * What a process needs to take part in a ledger: places, the ledger's own opener, and patience.
 * @module
 */
import type { AppendableLedger } from '../port/group-commit.ts'
import type { KnownEntry } from './messages.ts'
import type { Permits } from './permit.ts'
import type { Places, Platform } from './platform.ts'

/** A ledger that can also tell what it holds. */
export interface SharedLedger extends AppendableLedger {
  /** True when the entry at `seq` has this hash (64 lowercase hex characters). */
  holds(seq: number, entryHash: string): boolean
  /** Lets go without writing: another process appends to it now. */
  abandon(): void
}

export interface Patience {
  /** How long a data socket may take to greet. */
  readonly greetMs: number
  /** How long a holder may take to open its ledger. */
  readonly welcomeMs: number
  /** How long a `sync` event may wait for its answer. */
  readonly ackMs: number
  /** The same for the other levels: nobody's action waits for them. */
  readonly lazyAckMs: number
  /** How long a step of an operator may take: it reads the whole ledger. */
  readonly operateMs: number
  /** How long a started recorder process may take to answer. */
  readonly spawnMs: number
}

export const PATIENCE: Patience = {
  greetMs: 2_000,
  welcomeMs: 30_000,
  ackMs: 2_000,
  lazyAckMs: 30_000,
  operateMs: 3_600_000,
  spawnMs: 1_000,
}

export interface Setup {
  readonly places: Places
  readonly platform: Platform
  /**
   * Recovers and opens the ledger; called under the lock only. `newest`: what this producer was promised.
   * @throws SwornError LEDGER_*, ACKNOWLEDGED_LOST before anything is written
   */
  readonly openLedger: (newest: KnownEntry | undefined) => SharedLedger
  readonly permits: Permits
  readonly producerId: string
  readonly swornVersion: string
  readonly syncDelayMs: number
  /** See `GroupCommitOptions.syncsAside`. */
  readonly syncsAside?: boolean
  readonly patience: Patience
  /** Set for a process that expects to live under 10 s: starts a recorder process instead of becoming one. */
  readonly spawnRecorder?: () => void
}
