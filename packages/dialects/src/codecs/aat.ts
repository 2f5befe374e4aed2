/**
 * Agent Audit Trail records: intent and result as two records, content as hashes only.
 *
 * The twelve mandatory members without those of the chain, which the writer adds. `action_detail` carries hashes of the
 * recorded (redacted) arguments and results; the content goes into a sidecar. What AAT has no action type for is a
 * `decision` whose `decision_type` is our event type. Source: draft-sharif-agent-audit-trail-06, §4 to §7 as far as
 * readable (spec interop §3.1).
 * @module
 */
import { asText, type JsonObject, type JsonValue, toHex } from '@sworn/verify'
import { jcs } from '../jcs.ts'
import type { Codec } from '../lens.ts'
import type { Event } from '../members.ts'
import { own, part, section, toTimestamp } from './values.ts'

const CONFIG_EVENTS = ['config_loaded', 'config_reloaded', 'config_reload_failed', 'config_tampered']
const LIFECYCLE: readonly string[] = ['session_start', 'session_end']

type HashJson = (value: JsonValue) => string

/** @param digest SHA-256 */
export function createAatCodec(digest: (bytes: Uint8Array) => Uint8Array): Codec {
  const hash: HashJson = (value) => toHex(digest(jcs(value)))
  return {
    name: 'aat',
    slot: 'sidecar',
    id: 'record_id',
    encode(event) {
      const { action_type, action_detail, outcome, record_phase } = toAction(event, hash)
      return {
        record_id: toUuid4(hash(event.event_id ?? '')),
        timestamp: event.timestamp,
        agent_id: toUri(event.agent_id),
        agent_version: own(part(event, 'agent'), 'version') ?? 'unknown',
        session_id: event.session_id ?? 'none',
        trust_level: 'L0',
        action_type,
        action_detail,
        outcome,
        parent_record_id: null,
        prev_hash: null,
        record_phase,
      }
    },
    decode(record) {
      return {
        timestamp: toTimestamp(record.timestamp),
        agent_id: fromUri(record.agent_id),
        agent: section({ version: record.agent_version === 'unknown' ? undefined : record.agent_version }),
        session_id: record.session_id === 'none' ? undefined : record.session_id,
        ...fromAction(record),
      }
    },
  }
}

/** A version 4 UUID made of a hash: the draft asks for one, our ids are version 7. */
export function toUuid4(hex: string): string {
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

interface Action {
  readonly action_type: string
  readonly action_detail: JsonObject
  readonly outcome: string
  readonly record_phase: string
}

function toAction(event: Event, hash: HashJson): Action {
  const { event_type, tool } = event
  const parameters_hash = hash(event.arguments ?? {})
  const name = typeof tool === 'string' ? tool : ''
  if (event_type === 'tool_call_start') return action('tool_call', { tool_name: name, parameters_hash }, 'success', 'pre_execution')
  if (event_type === 'tool_call_end') {
    const detail = { tool_name: name, response_hash: hash(event.result ?? null), parent_call_id: event.correlation_id ?? null }
    return action('tool_response', detail, event.is_error === true ? 'failure' : 'success', 'post_execution')
  }
  if (event_type === 'tool_call_error') {
    const message = typeof event.error === 'string' ? event.error : ''
    const detail = { error_code: asText(event.error_code ?? ''), error_message: message, error_category: 'internal', recoverable: false }
    return action('error', { ...detail, tool_name: name }, 'failure', 'post_execution')
  }
  if (event_type === 'approval_requested') {
    const target = asText(own(part(event, 'human_decision'), 'channel') ?? 'human')
    return action(
      'escalation',
      { escalation_reason: asText(event.reason ?? ''), escalation_target: target, tool_name: name },
      'escalated',
      'pre_execution',
    )
  }
  return otherAction(event, name, parameters_hash)
}

function otherAction({ event_type, decision, reason }: Event, tool_name: string, parameters_hash: string): Action {
  if (event_type === 'authorization_decision') {
    const detail = { decision_type: event_type, tool_name, parameters_hash, ...(typeof reason === 'string' && { reason }) }
    return action('decision', detail, decision === 'deny' ? 'denied' : 'success', 'pre_execution')
  }
  if (LIFECYCLE.includes(event_type)) return action('lifecycle', { event: event_type }, 'success', 'concurrent')
  if (CONFIG_EVENTS.includes(event_type)) {
    const failed = event_type === 'config_reload_failed' || event_type === 'config_tampered'
    return action('lifecycle', { event: 'configuration_change', event_type }, failed ? 'failure' : 'success', 'concurrent')
  }
  return action('decision', { decision_type: event_type }, 'success', 'concurrent')
}

function action(action_type: string, action_detail: JsonObject, outcome: string, record_phase: string): Action {
  return { action_type, action_detail, outcome, record_phase }
}

function fromAction(record: JsonObject): Readonly<Record<string, JsonValue | undefined>> {
  const detail = part(record, 'action_detail')
  const tool = own(detail, 'tool_name') === '' ? undefined : own(detail, 'tool_name')
  const denied = record.outcome === 'denied'
  switch (record.action_type) {
    case 'tool_call':
      return { event_type: 'tool_call_start', tool }
    case 'tool_response':
      return {
        event_type: 'tool_call_end',
        tool,
        correlation_id: detail.parent_call_id ?? undefined,
        is_error: record.outcome === 'failure',
      }
    case 'error':
      return { event_type: 'tool_call_error', tool, error: own(detail, 'error_message') }
    case 'escalation':
      return { event_type: 'approval_requested', decision: 'ask', tool, reason: own(detail, 'escalation_reason') }
    case 'lifecycle':
      return { event_type: detail.event === 'configuration_change' ? own(detail, 'event_type') : own(detail, 'event') }
    default: {
      const type = own(detail, 'decision_type')
      const decision = type === 'authorization_decision' || denied ? { decision: denied ? 'deny' : 'allow' } : {}
      return { event_type: denied ? 'authorization_decision' : type, tool, reason: own(detail, 'reason'), ...decision }
    }
  }
}

const URN = 'urn:agent:'

function toUri(agent: JsonValue | undefined): string {
  if (typeof agent !== 'string' || agent === '') return `${URN}unknown`
  return /^[a-z][a-z0-9+.-]*:\S+$/i.test(agent) ? agent : URN + encodeURIComponent(agent.toWellFormed())
}

function fromUri(uri: JsonValue | undefined): JsonValue | undefined {
  if (typeof uri !== 'string' || !uri.startsWith(URN) || uri === `${URN}unknown`) return uri === `${URN}unknown` ? undefined : uri
  try {
    const name = decodeURIComponent(uri.slice(URN.length))
    return toUri(name) === uri ? name : uri
  } catch {
    return uri
  }
}
