/**
 * Who acts, and from where it was seen: members that every record of one hook carries.
 * @module
 */
import type { Action, AskFn, EventContext, Gate, GuardRecorder, SourceInfo } from '@sworn/recorder'
import type { OpenCalls } from './open-calls.ts'
import type { Hook, HookClient, HookKind } from './types.ts'

export interface HookRoom {
  readonly recorder: GuardRecorder
  readonly gate: Gate
  readonly calls: OpenCalls
  readonly onAuditFailure: 'block' | 'continue'
  /** Puts an `ask` to people where the client cannot; absent: nobody can be asked. It answers before the client stops waiting. */
  readonly ask?: AskFn
  /** Unix milliseconds. */
  readonly now: () => number
  /** Longest wait for a decision's acknowledgement; that of the guard by default. */
  readonly ackTimeoutMs?: number
}

/** One hook in its room. */
export interface Visit extends HookRoom {
  readonly client: HookClient
  readonly hook: Hook
  /** The session's id; empty when the client names none. */
  readonly session: string
}

/** The call could have been stopped, or this is what came of it. */
const INLINE: ReadonlySet<HookKind> = new Set(['before', 'after', 'failed', 'permission_denied'])

export function sourceOf({ client, hook }: Visit): SourceInfo {
  const version = hook.version === undefined ? {} : { version: hook.version }
  return { kind: 'hook', name: client.name, ...version, vantage: INLINE.has(hook.kind) ? 'inline' : 'observed' }
}

/** The configured agent, else the client; a subagent under its own id, with the call that began it and whoever made that call. */
export function contextOf({ client, hook, recorder, calls, session }: Visit, agent = hook.agent): EventContext {
  const base = recorder.context()
  const main = base.agent_id ?? client.name
  const known = { framework: client.name, ...(hook.version !== undefined && { version: hook.version }) }
  const model = hook.model === undefined ? {} : { model: hook.model }
  if (agent === undefined) return { agent_id: main, agent: { name: main, ...known, ...model, ...base.agent } }
  const parent = calls.parentOf(session, agent)
  const name = agent === hook.agent ? (hook.agentType ?? agent) : agent
  return {
    agent_id: agent,
    agent: { name, ...known, parent_agent_id: parent?.agent ?? main },
    ...(parent !== undefined && { parent_id: parent.ref }),
  }
}

const MCP_TOOL = /^mcp__(.+?)__./

export function toAction({ hook }: Visit): Action {
  const { tool = '', input, session, turn, call, time } = hook
  const server = MCP_TOOL.exec(tool)?.[1]
  return {
    kind: 'tool',
    name: tool,
    ...(input !== undefined && { input }),
    ids: { ...(session !== undefined && { session }), ...(turn !== undefined && { turn }), ...(call !== undefined && { call }) },
    ...(server !== undefined && { server: { name: server } }),
    ...(time !== undefined && { sourceTime: time }),
  }
}

/** Under which the events of one call meet: the client's id of it, else what is called with what. */
export function keyOf({ tool, input, call }: Hook): string {
  return call === undefined ? `input ${tool} ${JSON.stringify(input)}` : `call ${call}`
}
