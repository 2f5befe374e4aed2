/**
 * How much there was: entries by type, user, agent, tool, decision, severity and risk; durations; the time covered.
 * @module
 */
import { KIND_MEMBERS, WHO_MEMBERS } from '../columns.ts'
import { createDurations, type DurationSummary } from './durations.ts'
import type { Part } from './part.ts'
import { createTally, type Tallied } from './tally.ts'

export interface Totals {
  /** Entries with the ledger's own records, and without. */
  readonly total_entries: number
  readonly total_events: number
  /** Times of the earliest and latest event, as they say themselves, those ahead of the clock aside; null when none says. */
  readonly first: string | null
  readonly last: string | null
  /** Events only, from here on. */
  readonly events_by_type: Tallied
  readonly events_by_user: Tallied
  readonly events_by_agent: Tallied
  readonly events_by_tool: Tallied
  readonly events_by_decision: Tallied
  readonly events_by_severity: Tallied
  readonly events_by_risk: Tallied
  readonly events_by_reason_code: Tallied
  /** Events of severity error or critical. */
  readonly error_count: number
  /** Of all events; null when there is none. */
  readonly error_rate: number | null
  /** Of every event that says how long it took. */
  readonly duration: DurationSummary
}

const [TYPE, SEVERITY, DECISION, REASON, TOOL, RISK] = (
  ['event_type', 'severity', 'decision', 'reason_code', 'tool', 'risk_level'] as const
).map((member) => KIND_MEMBERS.indexOf(member)) as [number, number, number, number, number, number] // as many as are named
const [USER, AGENT, AGENT_NAME] = (['user', 'agent_id', 'agent_name'] as const).map((member) => WHO_MEMBERS.indexOf(member)) as [
  number,
  number,
  number,
] // as many as are named

/** True for the ledger's own records. */
export function isLogRecord(type: unknown): boolean {
  return typeof type === 'string' && type.startsWith('log.')
}

/** @param latest no event can have a later time */
export function createTotals(latest: number): Part<Totals> {
  const [type, user, agent, tool] = [createTally(), createTally(), createTally(), createTally()]
  const [decision, severity, risk, reason] = [createTally(), createTally(), createTally(), createTally()]
  const durations = createDurations()
  let [entries, events, errors] = [0, 0, 0]
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return {
    add(entry, { kind, who, time, durationMs }) {
      entries++
      if (isLogRecord(entry.event_type)) return
      events++
      type.add(kind[TYPE])
      user.add(who[USER])
      agent.add(who[AGENT] ?? who[AGENT_NAME])
      tool.add(kind[TOOL])
      decision.add(kind[DECISION])
      severity.add(kind[SEVERITY])
      risk.add(kind[RISK])
      reason.add(kind[REASON])
      if (kind[SEVERITY] === 'error' || kind[SEVERITY] === 'critical') errors++
      durations.add(durationMs)
      if (time === undefined || time > latest) return
      first = Math.min(first, time)
      last = Math.max(last, time)
    },
    done: () => ({
      total_entries: entries,
      total_events: events,
      first: formatMoment(first),
      last: formatMoment(last),
      events_by_type: type.done(),
      events_by_user: user.done(),
      events_by_agent: agent.done(),
      events_by_tool: tool.done(),
      events_by_decision: decision.done(),
      events_by_severity: severity.done(),
      events_by_risk: risk.done(),
      events_by_reason_code: reason.done(),
      error_count: errors,
      error_rate: events === 0 ? null : errors / events,
      duration: durations.done(),
    }),
  }
}

/** RFC 3339 in UTC; null for what is no moment. */
export function formatMoment(ms: number | undefined): string | null {
  return ms === undefined || !Number.isFinite(ms) ? null : new Date(ms).toISOString()
}
