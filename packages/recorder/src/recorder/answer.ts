/** What `record()` resolves with. Levels: docs/format.md. @module */

/** Written and acknowledged at the event's level. `durable: false`: on disk at most the sync delay later. */
export interface Recorded {
  readonly seq: number
  /** 64 lowercase hex characters. */
  readonly entry_hash: string
  readonly durable: boolean
}

/** `queued`: handed on, not awaited (`async`). `filtered`: the configuration does not record such events. */
export type RecordAnswer = Recorded | { readonly queued: true } | { readonly filtered: true }
