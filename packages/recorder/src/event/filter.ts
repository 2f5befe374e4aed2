/**
 * What is recorded: `audit.events` and `audit.log_level`.
 *
 * Decisions, approvals, denials and `observation_gap` can never be switched off: an action that was decided
 * about without a record would be law 3 broken by configuration. Source: docs/format.md (spec events §5).
 * @module
 */
import { SwornError } from '@sworn/verify'
import { EVENT_GROUPS, EVENT_TYPES, SEVERITIES, type Severity } from '@sworn/verify/events'

export interface FilterOptions {
  /** Event types or groups; all when absent. */
  readonly events?: readonly string[]
  /** The least severity that is kept; `warn` reads as `warning`. */
  readonly logLevel?: Severity | 'warn'
}

/** What neither `audit.events` nor `audit.log_level` leaves out. */
const ALWAYS: ReadonlySet<unknown> = new Set(['authorization_decision', 'approval_requested', 'method_blocked', 'observation_gap'])

export type EventFilter = (event: Readonly<Record<string, unknown>>) => boolean

/** @throws SwornError CONFIG_INVALID for an unknown group, type or level */
export function createFilter({ events, logLevel }: FilterOptions): EventFilter {
  const least = logLevel === undefined ? 0 : rankOf(logLevel)
  const types = events && new Set(events.flatMap(typesOf))
  return (event) => {
    if (ALWAYS.has(event.event_type)) return true
    if (types && !types.has(String(event.event_type))) return false
    return SEVERITIES.indexOf(event.severity as Severity) >= least // checked by shapeEvent
  }
}

function rankOf(level: string): number {
  const rank = SEVERITIES.findIndex((severity) => severity === (level === 'warn' ? 'warning' : level))
  if (rank < 0) throw new SwornError('CONFIG_INVALID', `expected one of ${SEVERITIES.join(', ')}`, 'audit.log_level')
  return rank
}

function typesOf(name: string): readonly string[] {
  if (Object.hasOwn(EVENT_GROUPS, name)) return EVENT_GROUPS[name as keyof typeof EVENT_GROUPS] // hasOwn checked it
  if ((EVENT_TYPES as readonly string[]).includes(name)) return [name]
  throw new SwornError(
    'CONFIG_INVALID',
    `unknown event type or group, expected a type or ${Object.keys(EVENT_GROUPS).join(', ')}`,
    'audit.events',
  )
}
