/**
 * Gantz's audit events: eighteen members, always all, a float for the time, Python's JSON.
 *
 * `from_json` refuses every other member, so there is no free slot: the rest goes into a sidecar. `action` is the
 * tool, or the model for model events. Source: Gantz tutorial, step 2 (`AuditEvent`).
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue, toHex, utf8 } from '@sworn/verify'
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import type { Event } from '../members.ts'
import type { Digits } from '../native.ts'
import { pythonFloat, pythonJson, pythonNumber } from '../python-json.ts'
import { fromEpoch, type Names, own, toEpoch, toOurs, toTheirs } from './values.ts'

const NAMES: Names = {
  session_id: 'session_id',
  correlation_id: 'correlation_id',
  user: 'user_id',
  agent_id: 'agent_id',
  target: 'resource',
  ip_address: 'ip_address',
  user_agent: 'user_agent',
}

const HASHED = ['event_id', 'event_type', 'timestamp', 'action', 'parameters', 'previous_hash']

/** The bytes whose SHA-256 is `event_hash`: six of the eighteen members, sorted. */
export function gantzHashInput(record: JsonObject, digits: Digits): Uint8Array {
  const members = HASHED.map((name) => [name, own(record, name) ?? null])
  return utf8(pythonJson(Object.fromEntries(members), { sort: true, digits }))
}

export const gantzCodec: Codec = {
  name: 'gantz',
  slot: 'sidecar',
  id: 'event_id',
  encode(event) {
    const names = toTheirs(event, NAMES)
    const error = event.decision === 'deny' ? event.reason : event.error
    const ms = toEpoch(event.timestamp)
    return {
      event_id: event.event_id ?? '',
      event_type: toType(event),
      timestamp: ms === undefined ? 0 : ms / 1000,
      session_id: names.session_id ?? null,
      correlation_id: names.correlation_id ?? null,
      user_id: names.user_id ?? null,
      agent_id: names.agent_id ?? null,
      action: (isModel(event) ? event.model : event.tool) ?? '',
      resource: names.resource ?? null,
      parameters: isJsonObject(event.arguments) ? event.arguments : {},
      result: typeof event.result === 'string' ? event.result : null,
      error: typeof error === 'string' ? error : null,
      severity: event.severity ?? 'info',
      duration_ms: event.duration_ms ?? null,
      ip_address: names.ip_address ?? null,
      user_agent: names.user_agent ?? null,
      previous_hash: null,
      event_hash: null,
    }
  },
  decode(record) {
    const { action, parameters, timestamp } = record
    const event = { ...fromType(record.event_type), ...toOurs(record, NAMES) }
    return {
      ...event,
      event_id: record.event_id,
      timestamp: typeof timestamp === 'number' ? fromEpoch(Math.round(timestamp * 1000)) : undefined,
      [isModel(event) ? 'model' : 'tool']: action === '' ? undefined : own(record, 'action'),
      arguments: isJsonObject(parameters) && Object.keys(parameters).length > 0 ? parameters : undefined,
      result: record.result ?? undefined,
      [event.decision === 'deny' ? 'reason' : 'error']: record.error ?? undefined,
      severity: record.severity,
      duration_ms: record.duration_ms ?? undefined,
    }
  },
  digits: floats,
  print: { record: (record, digits) => pythonJson(record, { digits }), number: pythonNumber },
}

/** Both are floats in Gantz, whole or not. */
function floats({ timestamp, duration_ms }: JsonObject): Readonly<Record<string, string>> {
  return {
    ...(typeof timestamp === 'number' && { '/timestamp': pythonFloat(timestamp) }),
    ...(typeof duration_ms === 'number' && { '/duration_ms': pythonFloat(duration_ms) }),
  }
}

function isModel({ event_type }: { readonly event_type?: JsonValue | undefined }): boolean {
  return typeof event_type === 'string' && event_type.startsWith('model_')
}

function toType({ event_type, decision }: Event): string {
  if (event_type !== 'authorization_decision') return event_type
  return decision === 'deny' ? 'authz_denied' : decision === 'allow' ? 'authz_granted' : event_type
}

function fromType(type: JsonValue | undefined): { event_type?: JsonValue | undefined; decision?: JsonValue } {
  if (type === 'authz_granted') return { event_type: 'authorization_decision', decision: 'allow' }
  if (type === 'authz_denied') return { event_type: 'authorization_decision', decision: 'deny' }
  return { event_type: type }
}

export const gantz = lineDialect(
  {
    name: 'gantz',
    title: 'Gantz audit events',
    source: 'Gantz tutorial "AI Agent Audit Logging", step 2',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names:
      'timestamp event_type severity decision tool target user agent_id session_id event_id correlation_id ip_address user_agent arguments reason result error duration_ms model'.split(
        ' ',
      ),
    rest: REST.sidecar,
    sidecar: true,
    loss: [
      '`parameters` is an object and `result` and `error` are text; other values are in the sidecar only.',
      'The chain covers six of eighteen members and is unkeyed.',
    ],
  },
  gantzCodec,
  ({ primitives }) => {
    let previous: JsonValue = null
    return ({ value, digits, imported }) => {
      const linked = imported ? value : { ...value, previous_hash: previous }
      const record = imported ? value : { ...linked, event_hash: toHex(primitives.hash('sha256', gantzHashInput(linked, digits))) }
      previous = record.event_hash ?? null
      return record
    }
  },
)
