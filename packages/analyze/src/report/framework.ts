/**
 * A framework as data: its controls, what each requires, and which entries of a ledger are evidence for it.
 *
 * Evidence is a filter that anybody can run again with `sworn query`. A framework never judges: what a ledger cannot
 * show is said with each control.
 * @module
 */
import type { LevelName } from '@sworn/verify'

export interface EvidenceRule {
  /** What such entries show, as a noun phrase. */
  readonly shows: string
  /** `event_type` is one of these. */
  readonly types: readonly string[]
  /** And this holds: CEL over the event. */
  readonly where?: string
}

export interface Control {
  /** As the source counts: `Article 12(1)`, `AU-10`. */
  readonly id: string
  readonly title: string
  /** In our words; the source has the text in force. */
  readonly requires: string
  readonly source: string
  readonly evidence: readonly EvidenceRule[]
  /** Entries that say that evidence is missing. */
  readonly against?: readonly EvidenceRule[]
  /** Claims of a verification that have to hold. */
  readonly claims?: readonly LevelName[]
  /** So long entries have to be kept. */
  readonly keptDays?: number
  /** What no ledger can show. */
  readonly beyond: string
}

export interface Framework {
  readonly id: string
  readonly title: string
  /** Edition, and from when it applies. */
  readonly edition: string
  readonly sources: readonly string[]
  readonly controls: readonly Control[]
}
