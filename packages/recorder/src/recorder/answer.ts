/** What `record()` resolves with. Levels: docs/format.md. @module */

/** Written and acknowledged at the event's level. `durable: false`: on disk at most the sync delay later. */
export interface Recorded {
  readonly seq: number
  /** 64 lowercase hex characters. */
  readonly entry_hash: string
  readonly durable: boolean
}

/** Nobody records now: on disk in this producer's spool, handed over later (`audit.fallback: spool`). */
export interface Waits {
  readonly spooled: true
  readonly durable: true
}

/** `queued`: handed on, not awaited (`async`). `filtered`: the configuration does not record such events. */
export type RecordAnswer = Recorded | Waits | { readonly queued: true } | { readonly filtered: true }
