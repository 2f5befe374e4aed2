/**
 * JSON-RPC messages of MCP as actions and outcomes, and the answers that a refusal gives in their place.
 *
 * Pure. Both eras: a synthetic result says `resultType`, which clients of 2026-07-28 demand and older ones ignore.
 * Source: spec capture §4.1; MCP 2025-11-25 and 2026-07-28.
 * @module
 */
import { type Action, type ActionIds, asText, type Outcome, type Verdict } from '@sworn/recorder'
import { memberOf, present, textAt } from '../members.ts'

export type RpcId = string | number

/** A message as a transport carries it. Hostile where it was received. */
export type RpcMessage = Readonly<Record<string, unknown>>

/** As far as it has said who it is. */
export interface Server {
  readonly name?: string | undefined
  readonly version?: string | undefined
}

/** The other side of a connection. */
export interface Peer extends Server {
  readonly transport?: string | undefined
  readonly session?: string | undefined
}

type Described = Pick<Action, 'kind' | 'name' | 'input'>

/** The requests that are recorded, in either direction. */
const ACTIONS: Readonly<Record<string, (params: unknown) => Described>> = {
  'tools/call': (params) => ({ kind: 'tool', name: textAt(params, 'name') ?? '', input: memberOf(params, 'arguments') }),
  'resources/read': (params) => ({ kind: 'resource', name: textAt(params, 'uri') ?? '', input: memberOf(params, 'uri') }),
  'prompts/get': (params) => ({ kind: 'resource', name: textAt(params, 'name') ?? '', input: memberOf(params, 'arguments') }),
  'sampling/createMessage': (params) => ({
    kind: 'model',
    name: textAt(params, 'modelPreferences', 'hints', 0, 'name') ?? 'sampling',
    input: params,
  }),
  'elicitation/create': (params) => ({ kind: 'message', name: 'elicitation', input: params }),
}

const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/

export function rpcIdOf(message: unknown): RpcId | undefined {
  const id = memberOf(message, 'id')
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}

export type Request = Action & { readonly rpc: { readonly id: RpcId; readonly method: string } }

/** Undefined for what is not recorded: other methods, notifications, answers. */
export function toAction(message: unknown, context: () => ActionIds, peer: () => Peer): Request | undefined {
  const [id, method] = [rpcIdOf(message), textAt(message, 'method')]
  if (id === undefined || method === undefined || !Object.hasOwn(ACTIONS, method)) return undefined
  const params = memberOf(message, 'params')
  const [, trace, span] = TRACE.exec(textAt(params, '_meta', 'traceparent') ?? '') ?? []
  const { name, version, transport, session } = peer()
  return {
    ...ACTIONS[method]!(params), // its own member, see above
    ids: { ...present({ session, trace, span }), ...context() },
    server: present({ name, version, transport }),
    rpc: { id, method },
  }
}

/** Only a `tools/call` has arguments that a gate may replace. */
export function withInput(message: RpcMessage, input: unknown): RpcMessage {
  const params = memberOf(message, 'params')
  return { ...message, params: { ...(typeof params === 'object' ? params : {}), arguments: input } }
}

export function isAnswer(message: unknown): message is RpcMessage {
  return rpcIdOf(message) !== undefined && memberOf(message, 'method') === undefined
}

/** The request that a cancellation is about. */
export function cancelledId(message: unknown): RpcId | undefined {
  if (memberOf(message, 'method') !== 'notifications/cancelled') return undefined
  const id = memberOf(message, 'params', 'requestId')
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}

export function toOutcome(answer: unknown): Outcome {
  const error = memberOf(answer, 'error')
  if (error !== undefined) return { status: 'error', error, errorType: `rpc_${asText(memberOf(error, 'code'))}` }
  const output = memberOf(answer, 'result')
  return memberOf(output, 'isError') === true ? { status: 'error', errorType: 'tool_error', output } : { status: 'ok', output }
}

const DENIED = -32001

/** What whoever asked gets instead: a result that a model can read for a tool, an error for everything else. */
export function toRefusal({ id, method }: NonNullable<Action['rpc']>, { reasonCode, rpcError }: Verdict): RpcMessage {
  const text = rpcError?.message ?? 'Forbidden'
  if (method === 'tools/call') {
    const content = [{ type: 'text', text: `${text} (${reasonCode})` }]
    return { jsonrpc: '2.0', id, result: { content, isError: true, resultType: 'complete' } }
  }
  const { code, data } = rpcError ?? { code: DENIED, data: { reason: reasonCode } }
  return { jsonrpc: '2.0', id, error: { code, message: text, ...(data && { data }) } }
}
