/**
 * Elastic Common Schema: what a security team's rules and dashboards read, and the rest under `sworn`.
 *
 * The AI agent is `service`, never `agent`: that is the shipper's. `event.hash` is the entry's hash and
 * `event.sequence` its seq. Written only. Source: ECS 8.17 field reference.
 * @module
 */
import { asText, type JsonObject, type JsonValue } from '@sworn/verify'
import { RESERVED_MEMBERS } from '@sworn/verify/events'
import { own, part, section } from '../codecs/values.ts'
import type { Dialect } from '../dialect.ts'
import type { Event } from '../members.ts'
import { outcomeOf, severityNumber, textOf } from './cef.ts'

const KINDS: Readonly<Record<string, string>> = { security_alert: 'alert', dlp_match: 'alert' }
/** event_type -> ECS categories and types. */
const CATEGORIES: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  authorization_decision: [['iam'], ['info']],
  auth_success: [['authentication'], ['start']],
  auth_failure: [['authentication'], ['start']],
  identity_token_issued: [['iam'], ['creation']],
  identity_token_rotated: [['iam'], ['change']],
  identity_token_revoked: [['iam'], ['deletion']],
  data_access: [['database'], ['access']],
  data_modification: [['database'], ['change']],
  session_start: [['session'], ['start']],
  session_end: [['session'], ['end']],
  config_loaded: [['configuration'], ['info']],
  config_reloaded: [['configuration'], ['change']],
  config_reload_failed: [['configuration'], ['error']],
  config_tampered: [['configuration'], ['change']],
  tool_call_error: [['process'], ['error']],
}
/** Members that have a field of their own; the others stand under `sworn`. */
const NAMED = [
  'timestamp',
  'event_type',
  'event_id',
  'reason',
  'user',
  'role',
  'agent_id',
  'trace_id',
  'span_id',
  'ip_address',
  'user_agent',
  'error_type',
  'matched_rule',
]

function toEcs(event: Event): JsonObject {
  const agent = part(event, 'agent')
  return {
    '@timestamp': event.timestamp ?? '',
    'ecs.version': '8.17.0',
    event: eventFields(event),
    ...optional('message', event.tool && `${event.event_type} ${asText(event.tool)}`),
    ...optional('user', section({ id: event.user, roles: event.role === undefined ? undefined : [event.role] })),
    ...optional('service', section({ id: event.agent_id, name: own(agent, 'name'), version: own(agent, 'version') })),
    ...optional('trace', section({ id: event.trace_id })),
    ...optional('span', section({ id: event.span_id })),
    ...optional('source', section({ ip: event.ip_address })),
    ...optional('user_agent', section({ original: event.user_agent })),
    ...optional('error', section({ message: textOf(event.error), type: event.error_type })),
    ...optional('rule', section({ name: event.matched_rule, ruleset: event.policy_name, version: event.policy_version })),
    labels: section({ dialect: 'sworn', session_id: event.session_id, decision: event.decision, tool: event.tool }) ?? {},
    sworn: restOf(event),
  }
}

function eventFields(event: Event): JsonObject {
  const [category, type] = CATEGORIES[event.event_type] ?? [['process'], ['info']]
  const denied = event.event_type === 'authorization_decision' && event.decision !== undefined
  const fields = {
    id: event.event_id,
    sequence: event.seq,
    hash: event.entry_hash,
    kind: KINDS[event.event_type] ?? 'event',
    category: [...category],
    type: denied ? [event.decision === 'deny' ? 'denied' : 'allowed'] : [...type],
    action: event.event_type,
    outcome: outcomeOf(event) ?? 'unknown',
    reason: event.reason,
    code: event.reason_code,
    severity: severityNumber(event),
    duration: typeof event.duration_ms === 'number' ? Math.round(event.duration_ms * 1e6) : undefined,
    provider: 'sworn',
    dataset: 'sworn.audit',
  }
  return section(fields) ?? {}
}

/** Arguments and results as text: their members would make a field each. */
function restOf(event: Event): JsonObject {
  const rest = Object.entries(event).filter(([name]) => !NAMED.includes(name) && !(RESERVED_MEMBERS as readonly string[]).includes(name))
  const flat = rest.map(([name, value]) => [name, ['arguments', 'result', 'error', 'metadata'].includes(name) ? textOf(value) : value])
  return section(Object.fromEntries(flat)) ?? {}
}

function optional(name: string, value: JsonValue | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value }
}

export const ecs: Dialect = {
  name: 'ecs',
  title: 'Elastic Common Schema',
  source: 'ECS 8.17 field reference',
  mediaType: 'application/x-ndjson',
  extension: 'ndjson',
  names:
    'timestamp event_type severity decision tool user agent_id session_id event_id role agent.name agent.version trace_id span_id ip_address user_agent reason reason_code matched_rule policy_name policy_version is_error error error_type duration_ms'.split(
      ' ',
    ),
  rest: '`sworn`, a field set of our own',
  loss: [
    '`arguments`, `result`, `error` and `metadata` are JSON text, so that an index does not grow a field for each key.',
    'It cannot be read back.',
  ],
  openWriter: () => ({ head: [], write: (event) => ({ lines: [JSON.stringify(toEcs(event))] }) }),
}
