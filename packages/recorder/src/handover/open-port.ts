/**
 * Opens the port of this process to a ledger: the door that decides who records.
 *
 * The ledger, its lock and its endpoint live in a worker thread, so a program that blocks its event loop
 * still serves the others. Whichever process records, the port stays the same. Promise: what was
 * submitted is flushed at process exit, with or without `close`.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { ResourceLimits } from 'node:worker_threads'
import { startWorker } from '../port/start-worker.ts'
import type { ThreadData } from '../port/thread-messages.ts'
import { openWorkerPort, type WorkerPort } from '../port/worker.ts'
import { PATIENCE, type Patience } from './setup.ts'
import type { LedgerSettings, ThreadOptions } from './thread-options.ts'

export interface OpenPortOptions extends LedgerSettings {
  /** Names the producer over restarts: the same name and event_id is the same event. Random when absent; 1 to 256 characters. */
  readonly producerId?: string
  /**
   * Set when the process expects to live under 10 s: `spawnRecorder` is called where nobody records, and
   * this process becomes the recorder only when that one does not answer within 1 s.
   */
  readonly ephemeral?: boolean
  /** True takes a ledger on NFS, SMB, s3fs and the like, which is refused otherwise: whoever does that sees to it that one machine records. */
  readonly sharedFileSystem?: boolean
  /** Starts a detached `sworn recorder` on the same path. */
  readonly spawnRecorder?: () => void
  /** 0 to 50, default 5: how far fdatasync may stay behind. */
  readonly syncDelayMs?: number
  readonly patience?: Partial<Patience>
}

const DEFAULT_SYNC_DELAY_MS = 5
/** V8 collects a heap the sooner the less it may become: an appender holds about 10 MB. */
const APPENDER_HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1024 }

/**
 * Becomes the recorder of the ledger, or hands over to the one there is.
 *
 * @throws SwornError LEDGER_BUSY naming the holder, LEDGER_* as recovery found, IO_FAILED
 */
export function openPort(options: OpenPortOptions): Promise<WorkerPort> {
  const { spawnRecorder } = options
  const thread = toThreadOptions(options)
  return openWorkerPort({
    start: (control) =>
      startWorker(import.meta.url, './worker-entry', { control, options: thread } satisfies ThreadData<ThreadOptions>, APPENDER_HEAP),
    ...(spawnRecorder && { spawnRecorder }),
  })
}

/** Defaults filled in, functions left out. */
export function toThreadOptions(options: OpenPortOptions): ThreadOptions {
  const { ephemeral = false, sharedFileSystem = false, spawnRecorder, syncDelayMs = DEFAULT_SYNC_DELAY_MS, patience, ...rest } = options
  const { producerId = randomUUID(), ...ledger } = rest
  return {
    ledger,
    producerId,
    swornVersion: ledger.version ?? '0',
    syncDelayMs,
    patience: { ...PATIENCE, ...patience },
    ephemeral: ephemeral && spawnRecorder !== undefined,
    sharedFileSystem,
  }
}
