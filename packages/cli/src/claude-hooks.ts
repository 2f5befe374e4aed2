/**
 * `hooks` for the Claude Agent SDK: the engine that answers Claude Code's hooks, inside the application.
 *
 * The SDK tells a callback what it tells a command, and reads the same replies. Nothing is thrown into it: a hook that
 * cannot be read or recorded refuses its call, unless the configuration says to go on. SessionStart and SessionEnd are
 * not told to callbacks, so what is under way ends with the agent's turn. What `canUseTool` denies is told to no hook:
 * `claudePermissions` ends it. Source: spec capture §4.6, `@anthropic-ai/claude-agent-sdk` 0.3.329.
 * @module
 */

import {
  type Answer,
  answerHook,
  findHookClient,
  type Hook,
  type HookClient,
  type HookRoom,
  heldCalls,
  readHook,
  unreadHook,
} from '@sworn/proxy/hooks'
import { type Gate, type Recorder, SwornError } from '@sworn/recorder'
import { asText } from '@sworn/verify'
import { gateOf } from './library-gate.ts'

/** What a callback answers; without members the agent goes on by its own rules. */
export interface ClaudeHookReply {
  readonly hookSpecificOutput?: {
    readonly hookEventName: 'PreToolUse'
    readonly permissionDecision?: 'deny' | 'ask'
    readonly permissionDecisionReason?: string
    /** Instead of the arguments of the call. */
    readonly updatedInput?: Record<string, unknown>
  }
}

/** For `options.hooks` of `query`: fits `Partial<Record<HookEvent, HookCallbackMatcher[]>>` of the SDK. */
export type ClaudeHooks = { [event: string]: { hooks: ((input: unknown) => Promise<ClaudeHookReply>)[] }[] }

/** The part of the SDK's `CanUseTool` that is used. */
type CanUseTool = (tool: string, input: Record<string, unknown>, options: never) => Promise<{ readonly behavior: string } | null>

const NAME = 'claude-agent-sdk'
const MAX_KEPT = 1000
const OVER = ['PostToolUse', 'PostToolUseFailure', 'PermissionDenied']

/** Records what an agent of the Claude Agent SDK does, and judges its tools by the recorder's policy. */
export function claudeHooks(recorder: Recorder): ClaudeHooks {
  const { client, tell, asked } = engineOf(recorder)
  const answer = async (input: unknown): Promise<ClaudeHookReply> => {
    const { hook_event_name: event, tool_use_id: id } = (input ?? {}) as Record<string, unknown> // hostile
    if (event === 'PreToolUse') keep(asked, asText(id), input as object)
    else if (OVER.includes(asText(event))) asked.delete(asText(id))
    return replyTo(input, await tell(input))
  }
  void recorder.record({ event_type: 'instrumentation_report', source: SOURCE, metadata: reportOf(client) }).catch(() => {}) // the first action will be refused
  return Object.fromEntries(Object.keys(client.events).map((event) => [event, [{ hooks: [answer] }]]))
}

/**
 * `canUseTool`, for `options.canUseTool` beside the hooks of the same recorder: what it denies ends as denied, and not
 * with the turn as unknown. What it answers or throws passes unchanged.
 */
export function claudePermissions<F extends CanUseTool>(recorder: Recorder, canUseTool: F): F {
  const { tell, asked } = engineOf(recorder)
  const watched = async (tool: string, input: Record<string, unknown>, options: { readonly toolUseID: string }) => {
    const answer = await canUseTool(tool, input, options as never) // handed on as it came
    const call = asked.get(options.toolUseID)
    if (answer?.behavior === 'deny' && call) await tell({ ...call, hook_event_name: 'PermissionDenied' })
    return answer
  }
  return watched as unknown as F // the same arguments and the same answer
}

interface Engine {
  readonly client: HookClient
  /** What the hooks said of calls, by their ids, the newest: `canUseTool` is not told whose session it is. */
  readonly asked: Map<string, object>
  tell(input: unknown): Promise<Answer>
}

const engines = new WeakMap<Recorder, Engine>()

function engineOf(recorder: Recorder): Engine {
  const known = engines.get(recorder)
  if (known) return known
  const { rewrite: _none, ...claudeCode } = findHookClient('claude-code')! // one of the table
  const client: HookClient = { ...claudeCode, name: NAME }
  const calls = heldCalls()
  const told = new Map<string, Promise<Answer>>() // hooks that are given twice are told everything twice
  const answerTo = (input: unknown) => {
    const { onAuditFailure } = recorder // as it is now
    return answered(client, input, { recorder, gate: gateOf(recorder) ?? NO_GATE, calls, onAuditFailure, now: Date.now })
  }
  const made: Engine = {
    client,
    asked: new Map(),
    tell(input) {
      const key = callEventOf(input)
      return key === undefined ? answerTo(input) : (told.get(key) ?? keep(told, key, answerTo(input)))
    },
  }
  engines.set(recorder, made)
  return made
}

/** What happens once to each call; undefined for everything that is about no call. */
function callEventOf(input: unknown): string | undefined {
  const { session_id: session, hook_event_name: event, tool_use_id: id } = (input ?? {}) as Record<string, unknown> // hostile
  return typeof id === 'string' && typeof session === 'string' ? JSON.stringify([session, event, id]) : undefined
}

function keep<T>(kept: Map<string, T>, key: string, value: T): T {
  kept.set(key, value)
  const [oldest] = kept.keys()
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
  return value
}

const SOURCE = { kind: 'instrumentation', name: NAME, vantage: 'inline' }

function reportOf({ events, facts }: HookClient) {
  const known = { adapter: NAME, package: '@anthropic-ai/claude-agent-sdk', format: 'given' }
  return { ...known, can_block: true, patched: ['hooks'], shows: Object.keys(events), not_shown: `models; ${facts.untrusted}` }
}

const ALLOWED = { decision: 'allow', reason: 'no policy is set', reasonCode: 'default_allow' } as const

/** For a recorder that `openRecorder` did not make: everything is recorded, and nothing is refused. */
const NO_GATE: Gate = {
  policy: {},
  judgeMethod: () => ALLOWED,
  judge: async () => ALLOWED,
  inspect: (value) => ({ value, matches: [], blocked: false }),
}

const REFUSED: Answer = { decision: 'deny', reason: 'sworn refused this call (audit_unavailable)' }

async function answered(client: HookClient, input: unknown, room: HookRoom): Promise<Answer> {
  let hook: Hook | undefined
  try {
    hook = readInput(client, input)
    return await answerHook(client, hook, room)
  } catch {
    const isJudged = hook !== undefined && hook.unread === undefined // what nobody could read no setting lets pass
    return isJudged && room.onAuditFailure === 'continue' ? { decision: 'none' } : REFUSED
  }
}

/** @throws for what is no hook of the client at all */
function readInput(client: HookClient, input: unknown): Hook {
  try {
    return readHook(client, Buffer.from(JSON.stringify(input)))
  } catch (e) {
    const { hook_event_name: event } = Object(input) as { readonly hook_event_name?: unknown }
    const why = SwornError.is(e) ? e : new SwornError('EVENT_INVALID', 'JSON was expected')
    const unread = typeof event === 'string' ? unreadHook(client, event, why) : undefined
    if (unread === undefined) throw e
    return unread
  }
}

/** Of what is no call nothing can be refused. */
function replyTo(input: unknown, answer: Answer): ClaudeHookReply {
  const isCall = (input as { hook_event_name?: unknown } | undefined)?.hook_event_name === 'PreToolUse' // hostile
  if (answer.decision === 'none' || !isCall) return {}
  const hookEventName = 'PreToolUse'
  if (answer.decision === 'rewrite') {
    const updatedInput = answer.input as Record<string, unknown> // arguments as the SDK told them, masked
    return { hookSpecificOutput: { hookEventName, updatedInput } }
  }
  return { hookSpecificOutput: { hookEventName, permissionDecision: answer.decision, permissionDecisionReason: answer.reason } }
}
