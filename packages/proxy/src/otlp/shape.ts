/**
 * The event of what was told, with the members that spans and log records have alike.
 *
 * Everything here is a claim: the vantage is always `reported`, and the user is the bearer of the token where nobody is
 * named. Pure. Source: docs/format.md (spec events §1, §2).
 * @module
 */
import { type Action, type AuditEvent, membersOf, type Outcome, outcomeEvent } from '@sworn/recorder'
import type { Kind } from './conventions.ts'
import type { Picker } from './picker.ts'
import { restOf } from './rest.ts'
import type { Told } from './told.ts'

export interface Shaping {
  readonly told: Told
  readonly picker: Picker
  readonly kind: Kind
  /** What the sender calls it. */
  readonly name: string
  /** Who the token names. */
  readonly producer: string
  readonly correlationId: string
  readonly ids: Action['ids']
}

type Event = Record<string, unknown> & { readonly event_type: string }

/** What is no call of a tool or a model, and no decision. */
const NOTES: { readonly [K in Kind]?: string } = {
  resource: 'data_access',
  turn: 'turn_end',
  prompt: 'user_prompt',
  session: 'session_start',
}

/** The event but for its id and time, which the shape of the input decides. */
export function shapeOutcome(shaping: Shaping, outcome: Outcome): Event {
  const { picker, kind } = shaping
  const note = NOTES[kind]
  if (note !== undefined) return withRest(shaping, noteOf(shaping, note, outcome), outcome)
  const usage = usageOf(picker)
  const cost = picker.number('costUsd')
  const members = { ...commonOf(shaping), arguments: picker.value('input') }
  const event = outcomeEvent(members, { ...outcome, output: picker.value('output') })
  const named = { ...event, event_type: String(event.event_type), ...(usage && { usage }), ...(cost !== undefined && { cost_usd: cost }) }
  return withRest(shaping, named, outcome)
}

/** Tokens that an agent tells of its turn stay attributes: its calls of models tell theirs, and what is spent counts once. */
function noteOf(shaping: Shaping, event_type: string, { status, error, errorType, durationMs, finishReason }: Outcome): Event {
  const { tool: _none, ...common } = commonOf(shaping)
  const target = shaping.picker.text('target')
  return {
    ...common,
    event_type,
    ...(target !== undefined && { target }),
    ...(shaping.kind === 'resource' && { arguments: shaping.picker.value('input') }),
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(finishReason !== undefined && { finish_reason: finishReason }),
    ...(status !== 'ok' && { error, error_type: errorType, is_error: true }),
  }
}

/** What an agent, or the person at it, decided on one call. */
export function shapeDecision(shaping: Shaping, decision: 'allow' | 'deny'): Event {
  const { picker } = shaping
  const by = picker.text('decidedBy')
  const byPerson = by?.toLowerCase().startsWith('user') === true
  const approved = decision === 'allow'
  const event = {
    ...commonOf(shaping),
    event_type: 'authorization_decision',
    decision,
    arguments: picker.value('input'),
    reason: by === undefined ? 'decided by the agent' : `decided by the agent, source ${by}`,
    ...(byPerson && { reason_code: approved ? 'human_approved' : 'human_denied', human_decision: { approved } }),
  }
  return withRest(shaping, event, { status: 'ok' })
}

function commonOf({ picker, kind, name, told, producer, correlationId, ids }: Shaping): Record<string, unknown> {
  const provider = picker.text('provider')
  const session = picker.text('session')
  const [turn, call] = [picker.text('turn'), picker.text('call')]
  const method = picker.text('method')
  const agentName = picker.text('agent')
  const agentVersion = agentName === undefined ? undefined : picker.text('agentVersion')
  const agentId = picker.text('agentId') ?? agentName
  const user = picker.text('user')
  const action: Action = {
    kind: kind === 'model' ? 'model' : 'tool',
    name: (NOTES[kind] === undefined ? picker.text(kind === 'model' ? 'model' : 'tool') : undefined) ?? name,
    ids: {
      ...ids,
      ...(agentId !== undefined && { agent: agentId }),
      ...(session !== undefined && { session }),
      ...(turn !== undefined && { turn }),
      ...(call !== undefined && { call }),
      user: user ?? producer,
    },
    ...(provider !== undefined && { provider }),
    ...(method !== undefined && { rpc: { method, ...rpcIdOf(picker) } }),
  }
  return {
    ...membersOf(action, correlationId, { kind: 'otlp', ...cutScope(told), vantage: 'reported' }),
    user_source: user === undefined ? 'token' : 'header',
    ...(agentName !== undefined && { agent: { name: cut(agentName), ...(agentVersion !== undefined && { version: cut(agentVersion) }) } }),
  }
}

function rpcIdOf(picker: Picker): { readonly id?: string | number } {
  const id = picker.text('rpcId')
  return id === undefined ? {} : { id }
}

const MAX_CHARS = 256
const cut = (text: string) => text.slice(0, MAX_CHARS).toWellFormed()

function cutScope({ scope: { name, version } }: Told): { readonly name?: string; readonly version?: string } {
  return { ...(name !== undefined && { name: cut(name) }), ...(version !== undefined && { version: cut(version) }) }
}

function usageOf(picker: Picker): Record<string, number> | undefined {
  const found = Object.entries({
    input_tokens: picker.count('inputTokens'),
    output_tokens: picker.count('outputTokens'),
    cache_read_tokens: picker.count('cacheReadTokens'),
    cache_write_tokens: picker.count('cacheWriteTokens'),
    reasoning_tokens: picker.count('reasoningTokens'),
  }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** What no member took, under `metadata.ext.otlp`. */
function withRest({ told, picker, name, kind }: Shaping, event: Event, { status }: Outcome): Event {
  const prompt = kind === 'prompt' ? picker.value('prompt') : undefined
  const known = event.metadata as object | undefined // made by membersOf
  const otlp = restOf(told, picker, name, status !== 'ok')
  return { ...event, metadata: { ...known, ...(prompt !== undefined && { prompt }), ext: { otlp } } }
}

/** @param event without its id and time */
export function stamped(
  event: Event,
  eventId: string,
  timeMs: number,
): AuditEvent & { readonly event_id: string; readonly timestamp: string } {
  return { ...event, event_id: eventId, timestamp: new Date(timeMs).toISOString() }
}
