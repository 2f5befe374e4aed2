/**
 * What a ledger is opened with, and the surroundings that follow from it.
 * @module
 */
import { hostname } from 'node:os'
import { type HashName, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { AcknowledgedEntry, Env, PreviousLog, ScannerName } from './core.ts'
import { type FileOps, nodeFileOps } from './file-ops.ts'
import { ledgerLayout } from './layout.ts'
import { readingPacked } from './packed.ts'

const DAY_MS = 86_400_000

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
  /** A key file outside the ledger, made when absent: the first key of a new ledger; one of the keys of an existing one. */
  readonly signingKey?: string
  /** For a new ledger that continues a damaged one: `previousLog` of operator.ts. */
  readonly previousLog?: PreviousLog
  /** Default 256 MiB. */
  readonly rotateBytes?: number
  /** Default 24 h. */
  readonly rotateMs?: number
  /** True: a missing ledger is an error, never made. */
  readonly requireExisting?: boolean
  /** The newest durable acknowledgement of whoever opens: a ledger without it is not written to. */
  readonly acknowledged?: AcknowledgedEntry
  readonly version?: string
  /** What looks for secrets before anything is written, for `log.start`. */
  readonly scanner?: ScannerName
  readonly pid?: number
  readonly host?: string
}

/** A rotation comes one batch late at most, and the offsets of a segment are 32 bits wide. */
const MAX_ROTATE_BYTES = 2 ** 31

/** Defaults filled in; nothing is opened. @throws SwornError CONFIG_INVALID */
export function createEnv(options: LedgerOptions): Env {
  const { fileOps: ops = nodeFileOps, path, home } = options
  if ((options.rotateBytes ?? 0) > MAX_ROTATE_BYTES)
    throw new SwornError('CONFIG_INVALID', 'at most 2 GiB were expected', 'audit.rotate_bytes')
  const layout = ledgerLayout(ops, path)
  return {
    ops: readingPacked(ops, layout.segments),
    primitives: nodePrimitives,
    layout,
    home,
    now: options.now ?? Date.now,
    random: options.random ?? ((bytes) => crypto.getRandomValues(new Uint8Array(bytes))),
    version: options.version ?? '0',
    ...(options.scanner && { scanner: options.scanner }),
    pid: options.pid ?? process.pid,
    host: options.host ?? hostname(),
    rotateBytes: options.rotateBytes ?? 256 << 20,
    rotateMs: options.rotateMs ?? DAY_MS,
    requireExisting: options.requireExisting ?? false,
    creation: {
      hash: options.hash ?? 'sha256',
      recordSignatures: options.recordSignatures ?? 'none',
      ...(options.origin !== undefined && { origin: options.origin }),
      ...(options.previousLog && { previousLog: options.previousLog }),
    },
    ...(options.acknowledged && { acknowledged: options.acknowledged }),
    ...(options.signingKey !== undefined && { signingKey: options.signingKey }),
  }
}
