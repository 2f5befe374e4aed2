/**
 * What the appender's thread is told when it starts: plain data, because it crosses threads.
 * @module
 */
import type { HashName } from '@sworn/verify'
import type { PreviousLog, ScannerName } from '../ledger/core.ts'
import type { Patience } from './setup.ts'

/** The ledger's own options, as far as they are data. Meanings and defaults: `openLedger`. */
export interface LedgerSettings {
  /** A directory, or a `.jsonl` file. */
  readonly path: string
  /** SWORN_HOME: keys and the index of known ledgers. */
  readonly home: string
  readonly hash?: HashName
  readonly recordSignatures?: 'none' | 'all'
  readonly origin?: string
  readonly signingKey?: string
  readonly rotateBytes?: number
  readonly rotateMs?: number
  readonly requireExisting?: boolean
  readonly version?: string
  readonly scanner?: ScannerName
  /** Of a new ledger: the one it succeeds. */
  readonly previousLog?: PreviousLog
}

export interface ThreadOptions {
  readonly ledger: LedgerSettings
  readonly producerId: string
  readonly swornVersion: string
  readonly syncDelayMs: number
  readonly patience: Patience
  /** True: ask for a recorder process first. */
  readonly ephemeral: boolean
  /** True: a ledger on a network file system is not refused. */
  readonly sharedFileSystem: boolean
}
