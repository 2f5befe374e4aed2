/**
 * What was found and reported: sensitive data, and alerts with the entries that prove them.
 * @module
 */
import { createNewest } from './newest.ts'
import { amountOf, cutText, membersOf, type Part, textOf } from './part.ts'
import { createTally, type Tallied } from './tally.ts'
import { formatMoment } from './totals.ts'

export interface Dlp {
  readonly events: number
  /** As `match_count` says, 1 where it says nothing. */
  readonly matches: number
  readonly redacted: number
  /** Calls that were refused for it. */
  readonly calls_blocked: number
  /** Matches. */
  readonly by_pattern: Tallied
  readonly by_direction: Tallied
  readonly by_action: Tallied
}

export function createDlp(): Part<Dlp> {
  const counts = { events: 0, matches: 0, redacted: 0, calls_blocked: 0 }
  const [patterns, directions, actions] = [createTally(), createTally(), createTally()]
  return {
    add({ event_type: type, pattern, match_count: given, redacted, direction, dlp_action: action, reason_code: code }) {
      if (type === 'authorization_decision' && code === 'dlp_blocked') counts.calls_blocked++
      if (type !== 'dlp_match') return
      const matches = amountOf(given) ?? 1
      counts.events++
      counts.matches += matches
      if (redacted === true) counts.redacted++
      patterns.add(textOf(pattern), matches)
      directions.add(textOf(direction), matches)
      actions.add(textOf(action), matches)
    },
    done: () => ({ ...counts, by_pattern: patterns.done(), by_direction: directions.done(), by_action: actions.done() }),
  }
}

/** A recorded `security_alert`. */
export interface RecordedAlert {
  readonly seq: number
  readonly timestamp: string | null
  readonly rule: string | null
  readonly severity: string | null
  readonly reason: string | null
  /** Entries that prove it, at most 20. */
  readonly evidence: readonly number[]
}

export interface Anomalies {
  readonly count: number
  readonly by_rule: Tallied
  readonly newest: readonly RecordedAlert[]
}

const MAX_EVIDENCE = 20

/** From the recorded `security_alert` events; nothing is looked for here. */
export function createAnomalies(): Part<Anomalies> {
  const rules = createTally()
  const alerts = createNewest<RecordedAlert>()
  return {
    add(entry, { time }) {
      if (entry.event_type !== 'security_alert') return
      const { rule, evidence } = membersOf(entry.metadata)
      rules.add(textOf(rule))
      alerts.add({
        seq: entry.seq,
        timestamp: formatMoment(time),
        rule: cutText(rule) ?? null,
        severity: cutText(entry.severity) ?? null,
        reason: cutText(entry.reason) ?? null,
        evidence: Array.isArray(evidence) ? evidence.filter((seq) => Number.isSafeInteger(seq)).slice(0, MAX_EVIDENCE) : [],
      })
    },
    done: () => ({ by_rule: rules.done(), ...alerts.done() }),
  }
}
