/**
 * OCSF events, chained: a SIEM can check the export without us.
 *
 * Tool calls and decisions are API Activity; DLP matches, alerts, authentication, identity and life cycle have classes
 * of their own. Each event carries a `record_integrity` attestation: SHA-256 over its RFC 8785 form with everything but
 * the fingerprint, naming the event before. Written only. Source: OCSF 1.9.0-dev, commit a5cfc68e (spec interop §3.5).
 * @module
 */
import { asText, type JsonObject, type JsonValue, toHex } from '@sworn/verify'
import { RESERVED_MEMBERS } from '@sworn/verify/events'
import { section, toEpoch } from '../codecs/values.ts'
import type { Dialect } from '../dialect.ts'
import { jcs } from '../jcs.ts'
import type { Event } from '../members.ts'
import { outcomeOf } from './cef.ts'
import { agentFields, apiFields, classOf, policyFields } from './ocsf-classes.ts'

const SEVERITY: Readonly<Record<string, number>> = { debug: 1, info: 1, warning: 3, error: 4, critical: 5 }
const STATUS: Readonly<Record<string, number>> = { unknown: 0, success: 1, failure: 2 }
/** Members that have a field of their own; the others stand under `unmapped`. */
const NAMED = [
  'timestamp',
  'event_type',
  'event_id',
  'decision',
  'tool',
  'user',
  'agent_id',
  'session_id',
  'correlation_id',
  'trace_id',
  'span_id',
  'ip_address',
  'server',
  'method',
  'rpc_id',
  'arguments',
  'reason',
  'policy_name',
  'policy_version',
  'policy_hash',
  'result',
  'model',
  'provider',
]

/** The event without its attestation. */
function toOcsf(event: Event, version: string): JsonObject {
  const kind = classOf(event)
  const fields = {
    category_uid: Math.floor(kind.class_uid / 1000),
    class_uid: kind.class_uid,
    class_name: kind.class_name,
    activity_id: kind.activity_id,
    activity_name: event.event_type,
    type_uid: kind.class_uid * 100 + kind.activity_id,
    time: toEpoch(event.timestamp) ?? 0,
    severity_id: SEVERITY[asText(event.severity ?? 'info')] ?? 1,
    status_id: STATUS[outcomeOf(event) ?? 'unknown'],
    status_detail: event.reason,
    metadata: metadataOf(event, version),
    actor: { user: section({ uid: event.user }) ?? { name: 'none' }, ...sectionOf('session', { uid: event.session_id }) },
    src_endpoint: section({ ip: event.ip_address }) ?? { name: event.agent_id ?? 'unknown' },
    ...agentFields(event),
    ...policyFields(event),
    ...sectionOf('trace', { uid: event.trace_id, span: section({ uid: event.span_id }) }),
    ...apiFields(event),
    ...kind.fields,
    unmapped: { sworn: restOf(event) },
  }
  return section(fields) ?? {}
}

function metadataOf(event: Event, version: string): JsonObject {
  const metadata = {
    version: '1.9.0-dev',
    product: { name: 'sworn', vendor_name: 'sworn', version },
    profiles: ['ai_operation', 'security_control', 'record_integrity', 'trace'],
    uid: event.event_id,
    sequence: event.seq,
    event_code: event.event_type,
    correlation_uid: event.correlation_id,
    original_time: event.timestamp,
  }
  return section(metadata) ?? {}
}

function sectionOf(name: string, members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const value = section(members)
  return value ? { [name]: value } : {}
}

function restOf(event: Event): JsonObject {
  const isStored = (name: string) => (RESERVED_MEMBERS as readonly string[]).includes(name) && name !== 'entry_hash'
  return section(Object.fromEntries(Object.entries(event).filter(([name]) => !NAMED.includes(name) && !isStored(name)))) ?? {}
}

interface Previous {
  readonly uid: JsonValue
  readonly type_uid: JsonValue
  readonly fingerprint: JsonObject
}

/**
 * What the fingerprint is over: the event with its attestation, without fingerprint and signatures.
 * Undefined when the event carries no such attestation.
 */
export function ocsfHashInput(event: JsonObject): Uint8Array | undefined {
  const [attestation] = Array.isArray(event.attestation_list) ? event.attestation_list : []
  if (typeof attestation !== 'object' || attestation === null || Array.isArray(attestation)) return undefined
  const { fingerprint: _, signatures: __, ...covered } = attestation
  return jcs({ ...event, attestation_list: [covered] })
}

export const ocsf: Dialect = {
  name: 'ocsf',
  title: 'OCSF',
  source: 'OCSF 1.9.0-dev, commit a5cfc68e, 22 Jul 2026',
  mediaType: 'application/x-ndjson',
  extension: 'ndjson',
  names:
    'timestamp event_type severity decision tool user agent_id session_id event_id agent.name agent.version agent.framework agent.instance correlation_id trace_id span_id ip_address server method rpc_id arguments reason policy_name policy_version policy_hash result is_error error pattern model provider usage.input_tokens usage.output_tokens token_id'.split(
      ' ',
    ),
  rest: '`unmapped.sworn`',
  loss: [
    'The schema version is a development one and is named in every event.',
    'Attestations are chained and not signed: `digital_signature` has no field for the signature itself.',
    'It cannot be read back.',
  ],
  openWriter({ primitives, version, origin }) {
    let previous: Previous | undefined
    return {
      head: [],
      write(entry) {
        const event = toOcsf(entry, version)
        const uid = entry.event_id ?? ''
        const covered = { uid, authority_uid: 'sworn', chain_uid: `${origin}/ocsf`, ...(previous && { prev_event: { ...previous } }) }
        const value = toHex(primitives.hash('sha256', ocsfHashInput({ ...event, attestation_list: [covered] })!))
        const fingerprint = { algorithm_id: 3, algorithm: 'SHA-256', encoding_id: 1, serialization_id: 2, value }
        previous = { uid, type_uid: event.type_uid ?? 0, fingerprint }
        return { lines: [JSON.stringify({ ...event, attestation_list: [{ ...covered, fingerprint }] })] }
      },
    }
  },
}
