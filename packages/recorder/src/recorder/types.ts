/**
 * The recorder as callers see it.
 * @module
 */
import type { FilterOptions } from '../event/filter.ts'
import type { AuditEvent, EventContext } from '../event/types.ts'
import type { LedgerInfo, Level } from '../port/types.ts'
import type { RedactOptions } from '../redact/redactor.ts'
import type { Vault } from '../redact/types.ts'
import type { RecordingPort } from '../spool/port.ts'
import type { RecordAnswer } from './answer.ts'
import type { EventBuilder } from './builder.ts'
import type { RecorderStats } from './stats.ts'

export interface RecordOptions {
  /** Instead of the level that the event type has. */
  readonly level?: Level
  /** An effect waits for this record: neither `audit.events` nor `audit.log_level` leaves it out. */
  readonly required?: boolean
}

export interface RecorderOptions extends Pick<FilterOptions, 'events' | 'logLevel'> {
  readonly port: RecordingPort
  readonly agent?: EventContext['agent'] & { readonly id?: string }
  readonly user?: string
  readonly userSource?: EventContext['user_source']
  /** Further members of every event. */
  readonly context?: EventContext
  readonly redact?: RedactOptions
  /** Where `commit` rules put values; without it they mask. */
  readonly vault?: Vault | undefined
  /** What a wrapped tool does when its start cannot be recorded; `block` by default. */
  readonly onAuditFailure?: 'block' | 'continue'
  readonly queue?: {
    /** Events that may be unacknowledged; 10,000 by default. */
    readonly max?: number
    /** UTF-16 units of payload that may be unacknowledged; 16 Mi by default. */
    readonly maxBytes?: number
    readonly whenFull?: 'wait' | 'shed'
  }
  /** Unix milliseconds. */
  readonly now?: () => number
  /** A fresh UUIDv7 for the given Unix milliseconds. */
  readonly randomId?: (nowMs: number) => string
}

/** What may change while the ledger is open; each replaces what was, an absent one is the default. */
export type RecorderSettings = Pick<RecorderOptions, 'events' | 'logLevel' | 'redact' | 'onAuditFailure'>

export interface Recorder {
  readonly info: LedgerInfo
  readonly onAuditFailure: 'block' | 'continue'
  /**
   * Checks new settings and returns what puts them in force, for every event recorded from then on.
   * @throws SwornError CONFIG_INVALID; the old ones stay
   */
  prepare(settings: RecorderSettings): () => void
  /**
   * Takes a snapshot of the event now and resolves at its level. Never throws; rejects with SwornError
   * EVENT_INVALID (the event), APPEND_REFUSED, APPEND_UNKNOWN, EVENT_ID_CONFLICT, RECORDER_UNAVAILABLE
   * (the ledger) or LEDGER_CLOSED.
   */
  record(event: AuditEvent | Readonly<Record<string, unknown>>, options?: RecordOptions): Promise<RecordAnswer>
  /** Resolves when everything recorded so far is on disk. @throws SwornError APPEND_UNKNOWN */
  flush(): Promise<void>
  /** Resolves when entry `seq` of this recorder is on disk. */
  durable(seq: number): Promise<void>
  event(): EventBuilder
  /** The same function, recorded: start before, end or error after, one correlation_id. */
  tool<F extends (...args: never[]) => unknown>(name: string, fn: F): F
  /** Members for everything recorded within `fn`, across awaits and timers. @throws SwornError EVENT_INVALID */
  withContext<T>(context: EventContext, fn: () => T): T
  context(): Readonly<EventContext>
  /** A fresh id for `correlation_id`. */
  newId(): string
  stats(): RecorderStats
  close(): Promise<void>
}
