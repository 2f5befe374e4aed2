/**
 * The heart of an open ledger as data: what every stage of the writer reads and changes.
 *
 * One `Core` belongs to one opening. After any error of writing or syncing it is thrown away whole
 * and made again from the disk; nothing in it is ever repaired in memory.
 * @module
 */
import type { Frontier, HashName, Primitives } from '@sworn/verify'
import type { Epoch, SignedCheckpoint } from '../signers/notes.ts'
import type { Signer } from '../signers/signer.ts'
import type { Batch } from './batch.ts'
import type { Counters } from './counters.ts'
import type { Dedupe } from './dedupe.ts'
import type { FileOps } from './file-ops.ts'
import type { KeyLayout, Layout } from './layout.ts'
import type { Offsets } from './offsets.ts'
import type { SegmentWriter } from './segment.ts'
import type { Sessions } from './sessions.ts'
import type { TreeFiles } from './tree-files.ts'

/** What looks for secrets before anything is written. */
export interface ScannerName {
  readonly name: string
  readonly version: string
  /** `sha256:` and 64 hex characters over its patterns. */
  readonly hash: string
}

/** What surrounds a ledger; the same for every opening of it. */
export interface Env {
  readonly ops: FileOps
  readonly primitives: Primitives
  readonly layout: Layout
  readonly home: string
  now(): number
  random(bytes: number): Uint8Array
  readonly version: string
  readonly scanner?: ScannerName
  readonly pid: number
  readonly host: string
  readonly rotateBytes: number
  readonly rotateMs: number
  readonly requireExisting: boolean
  /** For a ledger that does not exist yet. */
  readonly creation: {
    readonly hash: HashName
    readonly recordSignatures: 'none' | 'all'
    readonly origin?: string
    readonly previousLog?: PreviousLog
  }
  /** The operator's own key file: a new ledger takes it over, an existing one must be signed by it. */
  readonly signingKey?: string
  readonly acknowledged?: AcknowledgedEntry
}

/** The log that a new one continues after a verdict that left it read-only. */
export interface PreviousLog {
  readonly origin: string
  readonly size: number
  /** Base64. */
  readonly root: string
  /** The newest note that holds. */
  readonly checkpoint: string
  /** The operator's. */
  readonly reason: string
}

/** A record that somebody was promised. */
export interface AcknowledgedEntry {
  readonly logId: string
  readonly seq: number
  /** 64 hex characters. */
  readonly entryHash: string
}

/** What log.open says. */
export interface Identity {
  readonly logId: string
  readonly origin: string
  readonly hash: HashName
  readonly recordSignatures: 'none' | 'all'
  /** Of epoch 0. */
  readonly vkey: string
}

export interface Core {
  readonly env: Env
  readonly identity: Identity
  readonly keys: KeyLayout
  readonly macKey: Uint8Array
  writer: SegmentWriter
  offsets: Offsets
  readonly tree: TreeFiles
  readonly frontier: Frontier
  readonly dedupe: Dedupe
  readonly sessions: Sessions
  readonly counters: Counters
  epochs: readonly Epoch[]
  signer: Signer
  signed: SignedCheckpoint
  signedAt: number
  /** The steps left of a signature that is under way. */
  signing?: Generator<void> | undefined
  /** Records linked, and the entry_hash of the last one. */
  size: number
  head: string
  durableSize: number
  /** What `keys/<log_id>/head` may say: the size and hash of the last sync. */
  synced: { readonly size: number; readonly head: string }
  headWrittenAt: number
  /** Since when something derivable waits to be written. */
  derivedSince: number
  /** Size at which the counters of sessions were kept last. */
  sessionsKept: number
  segmentStartedAt: number
  /** Records above the signed size that ask for a checkpoint, and when the first of them came. */
  dirtyCount: number
  dirtySince: number
  readonly batch: Batch
}
