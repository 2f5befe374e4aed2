/**
 * What a report holds: its JSON, member by member.
 * @module
 */
import type { FrameworkEvidence } from './evidence.ts'
import type { FoundAnomalies } from './findings.ts'
import type { Integrity } from './integrity.ts'
import type { Processing } from './processing.ts'
import type { Summary } from './summary.ts'

export interface Subject {
  /** As it stands in `user`. */
  readonly user: string
  /** Entries of other users, or of none, in which the text occurs. */
  readonly mentions: number
}

export interface Report extends Summary {
  readonly report: 'sworn report 1'
  /** RFC 3339, UTC. */
  readonly generated: string
  /** As asked for; null is open. */
  readonly since: string | null
  readonly until: string | null
  /** Hours between since and until, or between the first and last event where one of them is open; null without events. */
  readonly period_hours: number | null
  /** Lines that are no entries. */
  readonly unreadable: number
  /** Null when the ledger was not checked. */
  readonly integrity: Integrity | null
  /** What alert rules find in the period; absent when none were given. `anomalies` has what was recorded. */
  readonly found_anomalies?: FoundAnomalies
  /** The one person that the report is about. */
  readonly subject?: Subject
  readonly framework?: FrameworkEvidence
  /** What is processed for what, of whom, for the framework `gdpr` and for a subject. */
  readonly processing?: Processing
}
