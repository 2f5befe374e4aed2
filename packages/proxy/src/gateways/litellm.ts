/**
 * One log of LiteLLM's gateway, its `StandardLoggingPayload`, becomes one event: the outcome of a model call, or of a tool
 * call that went through its MCP gateway.
 *
 * Pure, hostile input. What is told was done and could not be stopped: the vantage is `reported`. The same payload told
 * again is the same event, byte for byte. What no member takes is kept under `metadata.ext.litellm`,
 * where the names of keys (`user_api_key_…`) are masked like all that is named so.
 * Source: LiteLLM, "StandardLoggingPayload Specification" and "Generic API Callback".
 * @module
 */
import { type Action, asText, type JsonValue, membersOf, type Outcome, outcomeEvent } from '@sworn/recorder'
import { eventIdOf } from '../otlp/event-id.ts'
import type { Reading } from '../otlp/told.ts'
import { type JsonObject, numberOf, textOf } from '../otlp/values.ts'

const TOOL_CALL = 'call_mcp_tool'
const MAX_TIME_S = Date.UTC(10_000, 0) / 1000 // later years have more than four digits
/** Members that the event's own take. */
const TAKEN: ReadonlySet<string> = new Set(
  'id call_id trace_id startTime endTime status model custom_llm_provider prompt_tokens completion_tokens response_cost messages response error_str error_information'.split(
    ' ',
  ),
)

/** A member of a payload that may be absent, null or of another form. */
function objectAt(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {} // no array, checked
}

/** @param producer who the token names */
export function readPayload(payload: JsonObject, producer: string): Reading {
  const [id, ended] = [textOf(payload.id), numberOf(payload.endTime)]
  if (id === undefined) return { left: 'no id' }
  if (ended === undefined || ended < 0 || ended >= MAX_TIME_S) return { left: 'no end' }
  const timeMs = Math.floor(ended * 1000)
  const metadata = objectAt(payload.metadata)
  const user = textOf(metadata.user_api_key_user_id) ?? textOf(payload.end_user)
  const address = textOf(payload.requester_ip_address) ?? textOf(metadata.requester_ip_address)
  const team = textOf(metadata.user_api_key_team_alias) ?? textOf(metadata.user_api_key_team_id)
  const source = { kind: 'import', name: 'litellm', vantage: 'reported' } as const
  const members = {
    ...membersOf(actionOf(payload, metadata, user ?? producer), (textOf(payload.call_id) ?? id).slice(0, MAX_CHARS).toWellFormed(), source),
    ...inputOf(payload, metadata),
  }
  const event = outcomeEvent(members, outcomeOf(payload, ended))
  const eventId = eventIdOf(timeMs, ['litellm', id, textOf(payload.call_id) ?? '', asText(payload.startTime), asText(payload.status)])
  return {
    event: {
      ...event,
      event_type: String(event.event_type),
      event_id: eventId,
      timestamp: new Date(timeMs).toISOString(),
      user_source: user === undefined ? 'token' : 'header',
      ...(team !== undefined && { org_unit: team.slice(0, MAX_CHARS).toWellFormed() }),
      ...(address !== undefined && { ip_address: address.slice(0, MAX_CHARS).toWellFormed() }),
      metadata: { ...objectAt(event.metadata as JsonValue), ext: { litellm: restOf(payload) } }, // made by outcomeEvent
    },
  }
}

const MAX_CHARS = 256

function actionOf(payload: JsonObject, metadata: JsonObject, user: string): Action {
  const tool = payload.call_type === TOOL_CALL ? objectAt(metadata.mcp_tool_call_metadata) : undefined
  const [session, provider, agent] = [textOf(payload.trace_id), textOf(payload.custom_llm_provider), textOf(metadata.user_api_key_alias)]
  const server = tool && textOf(tool.mcp_server_name)
  return {
    kind: tool ? 'tool' : 'model',
    name: (tool ? textOf(tool.name) : textOf(payload.model)) ?? 'unknown',
    ids: { user, ...(session !== undefined && { session }), ...(agent !== undefined && { agent }) },
    ...(provider !== undefined && { provider }),
    ...(server !== undefined && { server: { name: server } }),
  }
}

function inputOf(payload: JsonObject, metadata: JsonObject): { readonly arguments?: JsonValue } {
  const tool = objectAt(metadata.mcp_tool_call_metadata)
  const input = payload.call_type === TOOL_CALL ? tool.arguments : payload.messages
  return input === undefined || input === null ? {} : { arguments: payload.call_type === TOOL_CALL ? input : { messages: input } }
}

function outcomeOf(payload: JsonObject, ended: number): Outcome {
  const started = numberOf(payload.startTime)
  const [inputTokens, outputTokens, costUsd] = [payload.prompt_tokens, payload.completion_tokens, payload.response_cost].map(countOf)
  const common = {
    ...(started !== undefined && started <= ended && { durationMs: Math.round((ended - started) * 1e6) / 1e3 }),
    ...(payload.response !== undefined && payload.response !== null && { output: payload.response }),
    usage: {
      ...(inputTokens !== undefined && { inputTokens }),
      ...(outputTokens !== undefined && { outputTokens }),
      ...(costUsd !== undefined && { costUsd }),
    },
  }
  if (payload.status !== 'failure') return { ...common, status: 'ok' }
  const information = objectAt(payload.error_information)
  const errorType = textOf(information.error_class)
  const error = textOf(information.error_message) ?? textOf(payload.error_str) ?? ''
  return { ...common, status: 'error', error, ...(errorType !== undefined && { errorType }) }
}

function countOf(value: JsonValue | undefined): number | undefined {
  const number = numberOf(value)
  return number === undefined || number < 0 ? undefined : number
}

/** Copies of what the event says already are left out: the whole request and the trace of an error hold both. */
function restOf(payload: JsonObject): JsonObject {
  const rest = Object.entries(payload).filter(([name, value]) => !TAKEN.has(name) && value !== null)
  return Object.fromEntries(rest)
}
