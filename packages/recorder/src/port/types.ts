/**
 * The port: the only door through which events reach a ledger.
 *
 * Behind it stands the appender, in this thread (tests), in a worker of this process, or in
 * another process that holds the ledger. Whoever submits cannot tell which. What passes is
 * already redacted and serialised; nothing behind the port ever sees an unredacted byte.
 * @module
 */
import type { SwornError } from '@sworn/verify'
import type { SyncTimes } from './sync-times.ts'

/** When a submission is acknowledged (docs/format.md, durability). */
export type Level = 'sync' | 'batch' | 'async'

/** One event on its way to the ledger. */
export interface Submission {
  /** The redacted payload as compact JSON: `{…}`, complete, at most 1 MiB of UTF-8. */
  readonly json: string
  /** The bytes of `json`, where they are at hand. */
  readonly utf8?: Buffer
  /** UUIDv7; with `producerId` the key that makes resending harmless. */
  readonly eventId: string
  readonly eventType: string
  readonly level: Level
  /** Set when the event belongs to a session: the appender numbers it. */
  readonly sessionId?: string | undefined
  /** Rows for the vault, on disk before the line is written: one line of JSON each, ciphertext. */
  readonly vault?: readonly string[] | undefined
}

/** The answer to one submission. `durable: false`: written, on disk at most the sync delay later. */
export interface Ack {
  readonly logId: string
  readonly seq: number
  /** 64 lowercase hex characters. */
  readonly entryHash: string
  readonly durable: boolean
}

/** One counter step, ordered with appends, so that several processes share a limit. */
export interface Reserve {
  readonly key: string
  /** Tokens that are taken when all are there. */
  readonly amount: number
  /** Bucket size and tokens regained per `perMs` milliseconds. */
  readonly limit: number
  /** 0: nothing is regained. That is a budget: what the records of the ledger spend of it counts too. */
  readonly perMs: number
  /** Taken together with this one, or none of them; at most 15. */
  readonly also?: readonly Omit<Reserve, 'also'>[]
}

export interface Reservation {
  readonly granted: boolean
  /** Milliseconds until `amount` tokens will be there; 0 when granted. */
  readonly retryAfterMs: number
  /** With `also`: what was used of each before, this one first. */
  readonly used?: readonly number[]
  /** With `also`: the place of the first that was short. */
  readonly refused?: number
}

/** What a producer must know about the ledger behind the port. */
export interface LedgerInfo {
  readonly logId: string
  readonly origin: string
  readonly path: string
  /** 32 bytes for keyed hashes; absent when this client may not have them. */
  readonly macKey?: Uint8Array
}

export interface Port {
  readonly info: LedgerInfo
  /**
   * Takes events in order. Each answer arrives when its event reached its level.
   * An answer is a SwornError (APPEND_REFUSED, APPEND_UNKNOWN, EVENT_ID_CONFLICT, RECORDER_UNAVAILABLE),
   * never a rejection.
   */
  submit(batch: readonly Submission[]): Promise<readonly (Ack | SwornError)[]>
  reserve(step: Reserve): Promise<Reservation>
  /** Resolves when everything submitted so far is on disk. @throws SwornError APPEND_UNKNOWN */
  flush(): Promise<void>
  /** SIGHUP: whoever records looks whether the active file was renamed, and goes on under its name. @throws SwornError APPEND_UNKNOWN, IO_FAILED */
  reopen(): Promise<void>
  /** For exit handlers: blocks until everything submitted is on disk or `timeoutMs` passed; true when it is. */
  flushSync(timeoutMs: number): boolean
  /** How long each fdatasync of the ledger took in this process since it opened it; nothing is counted while another one records. */
  syncTimes?(): SyncTimes
  /** Flushes, writes log.stop and the checkpoint over it when this process holds the ledger, lets go. */
  close(): Promise<void>
}
