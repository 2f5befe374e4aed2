/** Tool calls as OTLP spans: what OpenTelemetry's own serializer writes for the same span, and its names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import * as incubating from '@opentelemetry/semantic-conventions/incubating'
import { nodePrimitives } from '@sworn/verify/node'
import { type Event, endsSpan, spanKey, spanPart, toSpan, toTraceRequest } from '../src/index.ts'

const OPTIONS = { origin: 'sworn.local/x', version: '1.2.3', primitives: nodePrimitives }
const at = (second: number) => `2026-11-21T10:00:0${second}.000Z`
const common = { tool: 'search', session_id: 's', correlation_id: 'c', agent_id: 'a', agent: { name: 'billing', version: '2' } }
const DECISION: Event = {
  ...common,
  event_type: 'authorization_decision',
  timestamp: at(1),
  decision: 'allow',
  arguments: { q: 'é' },
  seq: 5,
  reason_code: 'matched_rule',
}
const END: Event = {
  ...common,
  event_type: 'tool_call_end',
  timestamp: at(4),
  duration_ms: 2500,
  is_error: false,
  result: 'r',
  seq: 6,
  entry_hash: 'f'.repeat(64),
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Attribute[]
  readonly events: { readonly name: string; readonly timeUnixNano: string; readonly attributes: Attribute[] }[]
  readonly status: { readonly code: number; readonly message?: string }
}
interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

const spanOf = (...events: Event[]): Span => {
  const parts = events.map((event) => spanPart(event)!)
  assert.ok(endsSpan(parts.at(-1)!))
  return toSpan(parts, OPTIONS) as unknown as Span // its shape is what is tested
}
const plainOf = ({ value }: Attribute) => (value.intValue === undefined ? Object.values(value)[0] : Number(value.intValue))
const attributes = (span: Span) => Object.fromEntries(span.attributes.map((attribute) => [attribute.key, plainOf(attribute)]))
const hrTime = (nano: string): [number, number] => [Number(BigInt(nano) / 1_000_000_000n), Number(BigInt(nano) % 1_000_000_000n)]
const record = (list: readonly Attribute[]) => Object.fromEntries(list.map((attribute) => [attribute.key, plainOf(attribute)]))

/** The span as OpenTelemetry's SDK would hold it. */
function toSdkSpan(span: Span, request: ReturnType<typeof requestOf>) {
  const { resource, scopeSpans } = request.resourceSpans[0]!
  return {
    ...span,
    kind: span.kind - 1,
    spanContext: () => ({ traceId: span.traceId, spanId: span.spanId, traceFlags: 1 }),
    parentSpanContext: span.parentSpanId && { traceId: span.traceId, spanId: span.parentSpanId, traceFlags: 1 },
    startTime: hrTime(span.startTimeUnixNano),
    endTime: hrTime(span.endTimeUnixNano),
    attributes: record(span.attributes),
    events: span.events.map((event) => ({ ...event, time: hrTime(event.timeUnixNano), attributes: record(event.attributes) })),
    links: [],
    resource: { attributes: record(resource.attributes) },
    instrumentationScope: scopeSpans[0]!.scope,
  }
}
const requestOf = (span: Span) =>
  toTraceRequest([JSON.parse(JSON.stringify(span))], OPTIONS) as unknown as {
    resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { scope: object; spans: Span[] }[] }[]
  }

/** Whole numbers are text or numbers in OTLP's JSON; counts of what was dropped and flags may be left out. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([key]) => !key.startsWith('dropped') && !['flags', 'links', 'schemaUrl'].includes(key))
  return Object.fromEntries(members.map(([key, member]) => [key, key === 'intValue' ? Number(member) : normal(member)]))
}

test('a request is what the serializer of OpenTelemetry writes for the same spans', () => {
  const denied = { ...DECISION, decision: 'deny', reason: 'no', reason_code: 'tool_denied', parent_id: 'p' }
  const failed = { ...END, event_type: 'tool_call_error', error: 'it broke', error_type: 'timeout', method: 'tools/call', rpc_id: 3 }
  for (const span of [spanOf(DECISION, END), spanOf(denied), spanOf(DECISION, failed)]) {
    const request = requestOf(span)
    const spans = [toSdkSpan(span, request)] as unknown as Parameters<typeof JsonTraceSerializer.serializeRequest>[0]
    const theirs = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)))
    assert.deepEqual(normal(theirs), normal(request))
  }
})

test('a call is one span from its decision to its outcome, with GenAI and MCP names', () => {
  const span = spanOf(DECISION, END)
  assert.deepEqual([span.name, span.kind, span.status], ['execute_tool search', 1, { code: 0 }])
  assert.deepEqual(
    [span.startTimeUnixNano, span.endTimeUnixNano],
    [1, 4].map((s) => `${Date.parse(at(s))}000000`),
  )
  const known = attributes(span)
  assert.deepEqual(
    [
      'gen_ai.operation.name',
      'gen_ai.tool.name',
      'gen_ai.tool.call.id',
      'gen_ai.tool.call.arguments',
      'gen_ai.conversation.id',
      'sworn.seq',
    ].map((name) => known[name]),
    ['execute_tool', 'search', 'c', '{"q":"é"}', 's', 6],
  )
  assert.deepEqual(
    span.events.map(({ name }) => name),
    ['sworn.authorization_decision'],
  )
  const mcp = { method: 'tools/call', rpc_id: 7 }
  const relayed = spanOf({ ...DECISION, ...mcp }, { ...END, ...mcp, is_error: true })
  assert.deepEqual(
    [relayed.name, relayed.kind, relayed.status.code, attributes(relayed)['error.type']],
    ['tools/call search', 3, 2, 'tool_error'],
  )
  assert.equal(attributes(relayed)['mcp.method.name'], 'tools/call')
})

test("the names exist in OpenTelemetry's own list", () => {
  const names: unknown[] = Object.values({ ...incubating })
  const all = {
    ...DECISION,
    ...END,
    method: 'm',
    rpc_id: 1,
    model: 'm',
    provider: 'p',
    user: 'u',
    is_error: true,
    usage: { input_tokens: 1, output_tokens: 2 },
  }
  for (const name of Object.keys(attributes(spanOf(all))).filter((key) => !key.startsWith('sworn.'))) assert.ok(names.includes(name), name)
})

test("identifiers follow from the ledger and the action; the caller's own trace is joined", () => {
  const [first, second] = [spanOf(DECISION, END), spanOf(END)]
  assert.deepEqual([first.traceId, first.spanId], [second.traceId, second.spanId])
  assert.match(`${first.traceId} ${first.spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/)
  assert.equal(second.startTimeUnixNano, `${Date.parse(at(4)) - 2500}000000`)
  const other = spanOf({ ...END, correlation_id: 'd' })
  assert.deepEqual([other.traceId === first.traceId, other.spanId === first.spanId], [true, false])
  assert.equal(spanOf({ ...END, correlation_id: 'child', parent_id: 'c' }).parentSpanId, first.spanId)
  const joined = spanOf({ ...END, trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) })
  assert.deepEqual([joined.traceId, joined.parentSpanId], ['a'.repeat(32), 'b'.repeat(16)])
  const forged = spanOf({ ...END, trace_id: '0'.repeat(32), span_id: 'B'.repeat(16) })
  assert.deepEqual([forged.traceId, forged.parentSpanId], [first.traceId, undefined])
})

test('what is no tool call is no part of a span; texts are cut; clocks that were put back make no negative span', () => {
  for (const event of [{ event_type: 'model_request', tool: 't' }, { event_type: 'tool_call_end' }, { event_type: 'log.open', tool: 't' }])
    assert.equal(spanPart(event), undefined)
  const part = spanPart({ ...END, result: 'x'.repeat(10_000), metadata: { a: 1 } })!
  assert.deepEqual([String(part.result).length, part.metadata], [4096, undefined])
  const span = spanOf({ ...DECISION, timestamp: at(9) }, END)
  assert.equal(span.startTimeUnixNano, span.endTimeUnixNano)
  assert.equal(spanKey({ event_type: 'tool_call_end', event_id: 'e' }), 'e')
})
