/**
 * OTLP logs in JSON, one export request a line, as OpenTelemetry's file exporter writes and collectors read.
 *
 * GenAI and MCP names where a convention exists, `sworn.<member>` for the rest: there is no convention for decisions,
 * approvals or integrity. Content is text, JSON for objects. Written only. Source: OTLP 1.5 JSON encoding; OpenTelemetry
 * semantic conventions, GenAI and MCP, as of 2026-05-05 (spec interop §3.6).
 * @module
 */
import { asText, type JsonObject, type JsonValue } from '@sworn/verify'
import { own, part, toEpoch } from '../codecs/values.ts'
import type { Dialect, DialectOptions } from '../dialect.ts'
import type { Event } from '../members.ts'
import { nameOf, textOf } from './cef.ts'

const SEVERITY: Readonly<Record<string, number>> = { debug: 5, info: 9, warning: 13, error: 17, critical: 21 }
const NAMES: Readonly<Record<string, string>> = {
  tool: 'gen_ai.tool.name',
  arguments: 'gen_ai.tool.call.arguments',
  result: 'gen_ai.tool.call.result',
  agent_id: 'gen_ai.agent.id',
  session_id: 'gen_ai.conversation.id',
  model: 'gen_ai.request.model',
  provider: 'gen_ai.provider.name',
  method: 'mcp.method.name',
  rpc_id: 'jsonrpc.request.id',
  error_type: 'error.type',
  user: 'user.id',
  ip_address: 'client.address',
  user_agent: 'user_agent.original',
}
const PARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  agent: { name: 'gen_ai.agent.name', version: 'gen_ai.agent.version' },
  usage: { input_tokens: 'gen_ai.usage.input_tokens', output_tokens: 'gen_ai.usage.output_tokens' },
}
const ELSEWHERE = ['timestamp', 'event_type', 'severity']

/** Who sends: the resource and the scope of every request. */
export function senderOf({ version, origin }: Pick<DialectOptions, 'version' | 'origin'>): { resource: JsonObject; scope: JsonObject } {
  return {
    resource: { attributes: [attribute('service.name', 'sworn'), attribute('sworn.origin', origin)] },
    scope: { name: 'sworn', version },
  }
}

/** Every member but those that a record says elsewhere. */
export function attributesOf(event: Event): JsonObject[] {
  const members = Object.entries(event).filter(([name, value]) => value !== undefined && !ELSEWHERE.includes(name))
  const named = members.map(([name, value]) => attribute(own(NAMES, name) === undefined ? `sworn.${name}` : NAMES[name]!, value!))
  const parts = Object.entries(PARTS).flatMap(([name, names]) =>
    Object.entries(names).flatMap(([member, key]) => {
      const value = own(part(event, name), member)
      return value === undefined ? [] : [attribute(key, value)]
    }),
  )
  const operation = event.event_type.startsWith('tool_call_') ? [attribute('gen_ai.operation.name', 'execute_tool')] : []
  return [...operation, ...named, ...parts]
}

export function attribute(key: string, value: JsonValue): JsonObject {
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  if (typeof value !== 'number') return { key, value: { stringValue: textOf(value) ?? '' } }
  // int64 is text in OTLP's JSON
  return { key, value: Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}

function toLogRecord(event: Event): JsonObject {
  const ms = toEpoch(event.timestamp)
  const severity = asText(event.severity ?? 'info')
  const { trace_id, span_id } = event
  return {
    ...(ms !== undefined && { timeUnixNano: `${BigInt(ms) * 1_000_000n}` }),
    severityNumber: SEVERITY[severity] ?? 9,
    severityText: severity.toUpperCase(),
    eventName: `sworn.${event.event_type}`,
    body: { stringValue: nameOf(event) },
    attributes: attributesOf(event),
    ...(/^[0-9a-f]{32}$/.test(asText(trace_id)) && { traceId: asText(trace_id) }),
    ...(/^[0-9a-f]{16}$/.test(asText(span_id)) && { spanId: asText(span_id) }),
  }
}

export const otlp: Dialect = {
  name: 'otlp',
  title: 'OTLP logs',
  source: 'OTLP 1.5 JSON encoding, one request a line; OpenTelemetry GenAI and MCP conventions of 2026-05',
  mediaType: 'application/x-ndjson',
  extension: 'jsonl',
  names:
    'timestamp event_type severity decision tool user agent_id session_id agent.name agent.version ip_address user_agent method rpc_id arguments result error_type model provider usage.input_tokens usage.output_tokens'.split(
      ' ',
    ),
  rest: 'attributes `sworn.<member>`',
  loss: ['Objects are JSON text in one attribute each.', 'It cannot be read back.'],
  openWriter(options) {
    const { resource, scope } = senderOf(options)
    return {
      head: [],
      write: (event) => ({
        lines: [JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [toLogRecord(event)] }] }] })],
      }),
    }
  },
}
