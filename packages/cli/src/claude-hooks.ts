/**
 * `hooks` for the Claude Agent SDK: the engine that answers Claude Code's hooks, inside the application.
 *
 * The SDK tells a callback what it tells a command, and reads the same replies. Nothing is thrown into it: a hook that
 * cannot be read or recorded refuses its call, unless the configuration says to go on. SessionStart and SessionEnd are
 * not told to callbacks, so what is under way ends with the agent's turn. Source: spec capture §4.6,
 * `@anthropic-ai/claude-agent-sdk` 0.3.329.
 * @module
 */
import { type Answer, answerHook, findHookClient, type HookClient, type HookRoom, heldCalls, readHook } from '@sworn/proxy/hooks'
import type { Gate, Recorder } from '@sworn/recorder'
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

const NAME = 'claude-agent-sdk'

/** Records what an agent of the Claude Agent SDK does, and judges its tools by the recorder's policy. */
export function claudeHooks(recorder: Recorder): ClaudeHooks {
  const { rewrite: _none, ...claudeCode } = findHookClient('claude-code')! // one of the table
  const client: HookClient = { ...claudeCode, name: NAME }
  const calls = heldCalls()
  const answer = async (input: unknown): Promise<ClaudeHookReply> => {
    const { onAuditFailure } = recorder // as it is now
    const room: HookRoom = { recorder, gate: gateOf(recorder) ?? NO_GATE, calls, onAuditFailure, now: Date.now }
    return replyTo(input, await answered(client, input, room))
  }
  void recorder.record({ event_type: 'instrumentation_report', source: SOURCE, metadata: reportOf(client) }).catch(() => {}) // the first action will be refused
  return Object.fromEntries(Object.keys(client.events).map((event) => [event, [{ hooks: [answer] }]]))
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
  try {
    return await answerHook(client, readHook(client, Buffer.from(JSON.stringify(input))), room)
  } catch {
    return room.onAuditFailure === 'block' ? REFUSED : { decision: 'none' }
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
