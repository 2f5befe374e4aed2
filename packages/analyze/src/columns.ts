/**
 * What filters, groups and the index know of an entry: one reading of its members for all of them.
 *
 * A scan over the lines and a query of the index answer alike because both ask here. Members may be anything, because
 * anybody may have written the line: texts, numbers and booleans count as their text, everything else as absent.
 * Lone surrogates read as U+FFFD, which is how SQLite keeps them. Words: docs/format.md, members.
 * @module
 */
import type { Entry } from './reading/entry.ts'

/** Members that together say what kind of entry it is; few combinations in any ledger. */
export const KIND_MEMBERS = ['event_type', 'severity', 'decision', 'reason_code', 'tool', 'server', 'risk_level', 'outcome'] as const
/** Members that together say who acted. */
export const WHO_MEMBERS = ['user', 'agent_id', 'agent_name', 'model'] as const

export type KindMember = (typeof KIND_MEMBERS)[number]
export type WhoMember = (typeof WHO_MEMBERS)[number]

/** From least to most. */
export const SEVERITIES = ['debug', 'info', 'warning', 'error', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** How an action ended, as far as this one entry tells. */
export const OUTCOMES = ['ok', 'error', 'denied'] as const

export type Texts = readonly (string | undefined)[]

export interface Columns {
  /** Milliseconds since 1970; undefined when `timestamp` is no time. */
  readonly time: number | undefined
  readonly durationMs: number | undefined
  /** In the order of KIND_MEMBERS. */
  readonly kind: Texts
  /** In the order of WHO_MEMBERS. */
  readonly who: Texts
  readonly sessionId: string | undefined
  readonly correlationId: string | undefined
  readonly parentId: string | undefined
}

/** Everything that filters, groups and sorts can ask of an entry, but for its text. */
export function columnsOf(entry: Entry): Columns {
  const { agent, duration_ms: duration } = entry
  const agentName = typeof agent === 'object' && agent !== null && 'name' in agent ? toMember(agent.name) : undefined
  return {
    time: timeOf(entry),
    durationMs: typeof duration === 'number' && Number.isFinite(duration) ? duration : undefined,
    kind: [
      toMember(entry.event_type),
      toMember(entry.severity),
      toMember(entry.decision),
      toMember(entry.reason_code),
      toMember(entry.tool),
      toMember(entry.server),
      toMember(entry.risk_level),
      outcomeOf(entry),
    ],
    who: [toMember(entry.user), toMember(entry.agent_id), agentName, toMember(entry.model)],
    sessionId: toMember(entry.session_id),
    correlationId: toMember(entry.correlation_id),
    parentId: toMember(entry.parent_id),
  }
}

/** Text of a member that is a text, a number or a boolean. */
function toMember(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function timeOf({ timestamp }: Entry): number | undefined {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

function outcomeOf({ event_type: type, decision, is_error: isError }: Entry): (typeof OUTCOMES)[number] | undefined {
  if (type === 'tool_call_end' || type === 'model_response') return isError === true ? 'error' : 'ok'
  if (type === 'tool_call_error' || type === 'model_error') return 'error'
  return decision === 'deny' || type === 'method_blocked' ? 'denied' : undefined
}
