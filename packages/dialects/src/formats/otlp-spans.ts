/**
 * Tool calls as OTLP spans: one an action, of all that was recorded about it under one correlation_id.
 *
 * A span begins with the first record (a person is asked, the decision, the start) and ends with the outcome; a denied
 * call ends with its decision. What never ended has no span. Identifiers follow from the ledger and the action, so the
 * same action is the same span however often it is sent. Only what is named here goes out: no metadata, texts cut.
 * Source: OTLP 1.5 JSON encoding; OpenTelemetry GenAI ("execute_tool") and MCP ("tools/call") span conventions of
 * 2026-05, all in development; W3C Trace Context for what joins with the caller's own spans.
 * @module
 */
import { asText, type JsonObject, type JsonValue, toHex, utf8 } from '@sworn/verify'
import { toEpoch } from '../codecs/values.ts'
import type { DialectOptions } from '../dialect.ts'
import type { Event } from '../members.ts'
import { textOf } from './cef.ts'
import { attribute, attributesOf, senderOf } from './otlp.ts'

export type SpanOptions = Pick<DialectOptions, 'primitives' | 'origin' | 'version'>

const TYPES: readonly string[] = ['approval_requested', 'authorization_decision', 'tool_call_start', 'tool_call_end', 'tool_call_error']
const MEMBERS: readonly string[] =
  'timestamp event_type decision tool target user agent_id session_id event_id role agent correlation_id parent_id trace_id span_id server method rpc_id arguments reason reason_code matched_rule policy_name policy_version policy_hash policy_mode violation risk_level result result_bytes is_error error error_type duration_ms model provider usage cost_usd seq entry_hash'.split(
    ' ',
  )
const TEXTS: readonly string[] = ['arguments', 'result', 'error', 'reason', 'target']
const MAX_TEXT = 4096
const INTERNAL = 1
const CLIENT = 3
const STATUS_UNSET = 0
const STATUS_ERROR = 2

/**
 * What of an event goes into a span: small, and JSON, so that it can be kept until the action ends.
 * @returns undefined for what is no part of a tool call
 */
export function spanPart(event: Event): Event | undefined {
  if (!TYPES.includes(event.event_type) || typeof event.tool !== 'string') return undefined
  const members = MEMBERS.flatMap((name): [string, JsonValue][] => {
    const value = event[name]
    if (value === undefined) return []
    return [[name, TEXTS.includes(name) ? (textOf(value) ?? '').slice(0, MAX_TEXT).toWellFormed() : value]]
  })
  return { event_type: event.event_type, ...Object.fromEntries(members) }
}

/** The action that a part belongs to. */
export function spanKey(part: Event): string {
  return asText(part.correlation_id ?? part.event_id ?? part.seq)
}

/** True for the last part of an action: its outcome, or that it was denied. */
export function endsSpan({ event_type, decision }: Event): boolean {
  return (
    event_type === 'tool_call_end' || event_type === 'tool_call_error' || (event_type === 'authorization_decision' && decision === 'deny')
  )
}

/** @param parts of one action in the order of the ledger, the last one ends it; at least one */
export function toSpan(parts: readonly Event[], options: SpanOptions): JsonObject {
  const whole: Event = Object.assign({}, ...parts)
  const last = parts.at(-1)!
  const ids = idsOf(whole, spanKey(last), options)
  const end = toEpoch(last.timestamp) ?? 0
  const error = errorOf(last)
  return {
    ...ids,
    name: `${asText(whole.method ?? 'execute_tool')} ${asText(whole.tool)}`,
    kind: whole.method === undefined ? INTERNAL : CLIENT,
    startTimeUnixNano: nanos(startOf(parts, end)),
    endTimeUnixNano: nanos(end),
    attributes: attributesOfSpan(whole, error),
    events: parts.slice(0, -1).map(toSpanEvent),
    status: error === undefined ? { code: STATUS_UNSET } : { code: STATUS_ERROR, message: textOf(last.error ?? last.reason) ?? error },
  }
}

/** One export request. */
export function toTraceRequest(spans: readonly JsonObject[], options: SpanOptions): JsonObject {
  const { resource, scope } = senderOf(options)
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [...spans] }] }] }
}

/** The caller's own trace where it is known; else one trace a session. */
function idsOf({ trace_id, span_id, parent_id, session_id }: Event, key: string, { primitives, origin }: SpanOptions): JsonObject {
  const digest = (kind: string, name: JsonValue) => toHex(primitives.hash('sha256', utf8(`sworn ${kind}\n${origin}\n${asText(name)}`)))
  const spanOf = (action: JsonValue) => digest('span', action).slice(0, 16)
  const isJoined = isHex(trace_id, 32)
  const parent = isJoined && isHex(span_id, 16) ? span_id : typeof parent_id === 'string' ? spanOf(parent_id) : undefined
  return {
    traceId: isJoined ? trace_id : digest('trace', session_id ?? key).slice(0, 32),
    spanId: spanOf(key),
    ...(parent !== undefined && { parentSpanId: parent }),
  }
}

/** W3C: lowercase hex, not all zero. */
function isHex(value: JsonValue | undefined, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^(?!0+$)[0-9a-f]+$/.test(value)
}

/** Of the first part; of an outcome alone, as long ago as it says that it took. */
function startOf(parts: readonly Event[], end: number): number {
  const [first] = parts as readonly [Event]
  const took = typeof first.duration_ms === 'number' && first.duration_ms > 0 ? first.duration_ms : 0
  const start = parts.length > 1 ? (toEpoch(first.timestamp) ?? end) : end - took
  return Math.max(0, Math.min(start, end)) // clocks may be put back
}

function nanos(ms: number): string {
  return `${BigInt(Math.round(ms)) * 1_000_000n}`
}

/** MCP: a result that says that it is an error is `tool_error`. */
function errorOf({ event_type, error_type, is_error, reason_code }: Event): string | undefined {
  if (event_type === 'authorization_decision') return asText(reason_code ?? 'denied')
  if (event_type === 'tool_call_error') return asText(error_type ?? '_OTHER')
  return is_error === true ? 'tool_error' : undefined
}

const SAID_ELSEWHERE: readonly string[] = ['trace_id', 'span_id', 'error_type']

function attributesOfSpan(whole: Event, error: string | undefined): JsonObject[] {
  const members = Object.entries(whole).filter(([name]) => !SAID_ELSEWHERE.includes(name))
  const named = attributesOf({ ...Object.fromEntries(members), event_type: 'tool_call_end' })
  const id = whole.correlation_id === undefined ? [] : [attribute('gen_ai.tool.call.id', whole.correlation_id)]
  return [...named, ...id, ...(error === undefined ? [] : [attribute('error.type', error)])]
}

function toSpanEvent({ event_type, timestamp, seq, decision, reason_code }: Event): JsonObject {
  const known = Object.entries({ 'sworn.seq': seq, 'sworn.decision': decision, 'sworn.reason_code': reason_code })
  return {
    timeUnixNano: nanos(toEpoch(timestamp) ?? 0),
    name: `sworn.${event_type}`,
    attributes: known.flatMap(([key, value]) => (value === undefined ? [] : [attribute(key, value)])),
  }
}
