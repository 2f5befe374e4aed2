/**
 * What both directions of one proxied session share.
 * @module
 */
import { hash } from 'node:crypto'
import type { TokenFacts } from '@sworn/govern/identity'
import type { ActionIds, DlpMatch, Gate, Verdict } from '@sworn/recorder'
import type { Id, Members } from '../frames/read.ts'
import { memberOf } from '../frames/read.ts'
import { formatDenial, formatError, type RpcError } from '../frames/write.ts'
import type { Audit } from './audit.ts'
import type { Lane } from './lane.ts'
import type { RelayOptions, ToolPins } from './options.ts'
import type { Outlet } from './outlet.ts'
import type { Parked, People } from './people.ts'
import type { Beside, SessionTokens } from './session-tokens.ts'

/** First protocol version of the stateless era. */
export const MODERN = '2026-07-28'
/** Requests in flight in one direction; more are refused. */
export const MAX_IN_FLIGHT = 4096
/** JSON-RPC codes of our own answers. */
export const CODES = { internal: -32603, denied: -32001, method: -32006, gone: -32000 } as const

/** A call whose result comes later. */
export interface Task {
  readonly id: string
  readonly tool: string
  readonly correlation: string
  /** When the call was forwarded. */
  readonly startedAt: number
  /** Its budgets were charged. */
  charged?: boolean
}

/** A request of the client that has no answer yet. */
export interface Pending {
  readonly id: Id
  readonly method: string
  /** Set for tools/call, and for tasks/result of a task that a tool call made. */
  readonly tool?: string
  /** The task whose result is asked for. */
  readonly task?: Task
  /** Set for resources/read. */
  readonly uri?: string
  readonly correlation: string
  readonly parent?: string
  /** The request itself says which era it is of. */
  readonly modern: boolean
  /** Key under which a retry with the asked-for input finds this call. */
  readonly retryKey?: string
  state: 'deciding' | 'sent' | 'cancelled'
  startedAt: number
  /** Set where a decision about a method that is no tool call is on record. */
  decided?: boolean
  /** The client has its answer already: the question that people are asked. */
  answered?: boolean
  /** Set while people are asked: nobody needs their answer any more. */
  abandon?: () => void
  /** What came in its `_meta`. A secret, and hostile input. */
  readonly token?: string
  /** Of the token that was shown with it, when its signature is ours. */
  shown?: TokenFacts
  /** The token that goes out with its answer. A secret. */
  handOut?: string
}

/** Counted for `metadata.stats` of the session's end. */
export interface Stats {
  allowed: number
  denied: number
  dlp_blocked: number
  dlp_masked: number
  malformed: number
  cancelled: number
  approvals: number
  dry_run: number
  budget_exceeded: number
}

export interface Session {
  /** How the server is reached. */
  readonly transport: 'stdio' | 'http'
  readonly gate: Gate | undefined
  /** Who acts, for the gate: limits are counted by them. */
  readonly ids: Pick<ActionIds, 'session' | 'user'>
  /** Set where identity tokens can be asked for. */
  readonly tokens: SessionTokens | undefined
  /** Set where messages come with header fields. */
  readonly beside: Beside | undefined
  /** What the newest call's access token claimed. */
  readonly newest: { claims?: Members }
  readonly audit: Audit
  readonly toClient: Outlet
  readonly toServer: Outlet
  readonly lane: Lane
  readonly clock: () => number
  readonly randomId: () => string
  readonly stats: Stats
  /** The client's requests in flight, by id. */
  readonly calls: Map<Id, Pending>
  /** Cancelled calls whose answer may still come; the newest 1,024. */
  readonly cancelled: Map<Id, Pending>
  /** The server's requests in flight: id to method. */
  readonly asked: Map<Id, string>
  /** Calls that asked for input, for their retries: key to correlation id; the newest 1,024. */
  readonly retries: Map<string, string>
  /** Questions that were the answer to a call, by id; the newest 1,024. */
  readonly parked: Map<string, Parked>
  /** Who can be asked; undefined: nobody. */
  readonly people: People | undefined
  /** Tasks that tool calls answered with, by id; the newest 1,024. */
  readonly tasks: Map<string, Task>
  /** Hashes of the server's tools as it last described them, by name. */
  readonly tools: Map<string, readonly string[]>
  readonly pins: ToolPins
  /** What was said last about how a tool is described, by name. */
  readonly alerted: Map<string, string>
  /** Takes our own lines. */
  readonly say: NonNullable<RelayOptions['say']>
  /** Calls that wait for their decision. */
  readonly deciding: Set<Promise<void>>
  /** What the peers said about themselves. */
  server: { name?: string; version?: string }
  client: { name?: string; version?: string }
  /** Why nothing more can be forwarded, once it is so. */
  gone: 'server_exited' | 'client_gone' | undefined
}

/** Puts into a map that forgets its oldest entry beyond `bound`. */
export function remember<K, V>(map: Map<K, V>, key: K, value: V, bound = 1024): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= bound) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}

/** Who acts with this request: what its access token claims may differ within a session. */
export function idsOf({ ids, beside, newest }: Session, { id }: Pending): ActionIds {
  const claims = beside?.find(id).claims
  if (claims) newest.claims = claims
  return claims ? { ...ids, claims } : ids
}

/** True when a record says that it may happen: how it ends is recorded too. */
export function isFollowed({ tool, decided }: Pending): boolean {
  return tool !== undefined || decided === true
}

/** Members of every record about one request. */
export function membersOf(session: Session, call: Pending): Record<string, unknown> {
  return {
    ...(call.tool === undefined ? {} : { tool: call.tool }),
    ...(session.server.name === undefined ? {} : { server: session.server.name }),
    method: call.method,
    rpc_id: call.id,
    correlation_id: call.correlation,
    ...(call.parent === undefined ? {} : { parent_id: call.parent }),
  }
}

/** Answers a request that is not forwarded. A tool call of the stateless era gets a result that says no. */
export function answer(session: Session, call: Pending, error: RpcError): void {
  const denial = call.modern && call.tool !== undefined
  session.toClient.write(denial ? formatDenial(call.id, error) : formatError(call.id, error))
}

/** Verdict members as recorded. */
export function toDecision(verdict: Verdict): Record<string, unknown> {
  const deny = verdict.decision !== 'allow'
  const code = verdict.decision === 'ask' ? 'approval_unavailable' : verdict.reasonCode
  const named: Record<string, unknown> = {
    matched_rule: verdict.matchedRule,
    policy_name: verdict.policyName,
    policy_version: verdict.policyVersion,
    policy_hash: verdict.policyHash,
    policy_mode: verdict.policyMode,
    violation: verdict.violation,
    enforced: verdict.enforced,
    risk_level: verdict.riskLevel,
    role: verdict.role,
    org_unit: verdict.orgUnit,
    error_code: deny ? (verdict.rpcError?.code ?? CODES.denied) : undefined,
    error_profile: deny ? verdict.rpcError?.profile : undefined,
  }
  const decision: Record<string, unknown> = { decision: deny ? 'deny' : 'allow', reason: verdict.reason, reason_code: code }
  for (const name in named) if (named[name] !== undefined) decision[name] = named[name]
  return decision
}

/** What the client is told about a refusal: the gate's own words, or ours when it has none. */
export function toRpcError(verdict: Verdict, call: { readonly tool?: string; readonly method: string }): RpcError {
  if (verdict.rpcError !== undefined) return verdict.rpcError
  const reason = verdict.decision === 'ask' ? 'approval_unavailable' : verdict.reasonCode
  if (call.tool === undefined) return { code: CODES.method, message: 'Method not allowed', data: { method: call.method, reason } }
  return { code: CODES.denied, message: 'Forbidden', data: { tool: call.tool, reason } }
}

/** Records what was found in data on its way through. */
export function noteMatches(session: Session, matches: readonly DlpMatch[], about: Readonly<Record<string, unknown>>): void {
  for (const { pattern, matchCount, direction, dlpAction, redacted } of matches) {
    if (dlpAction === 'mask') session.stats.dlp_masked += matchCount
    if (dlpAction === 'block') session.stats.dlp_blocked += matchCount
    const found = { pattern, match_count: matchCount, redacted, direction, dlp_action: dlpAction }
    session.audit.note({ event_type: 'dlp_match', ...about, ...found })
  }
}

/** Counts a refusal by its reason, and records an attempt on what records or governs the agent. */
export function noteRefusal(session: Session, call: Pending, { reasonCode, reason, tamperedWith }: Verdict): void {
  session.stats.denied++
  if (reasonCode === 'dry_run' || reasonCode === 'budget_exceeded') session.stats[reasonCode]++
  if (reasonCode === 'schema_mismatch') {
    const metadata = { rule: 'schema_hash', executed: false }
    session.audit.note({
      event_type: 'security_alert',
      ...membersOf(session, call),
      severity: 'error',
      reason_code: reasonCode,
      reason,
      metadata,
    })
  }
  if (tamperedWith === undefined) return
  const about = { ...membersOf(session, call), severity: 'error', target: tamperedWith, reason }
  session.audit.note({ event_type: 'config_tampered', ...about, metadata: { attempt: 'tool_call', executed: false } })
}

/** Milliseconds since the call was forwarded (of a task: the call that made it), three decimals. */
export function durationOf(session: Session, call: Pending): number {
  return Math.round((session.clock() - (call.task?.startedAt ?? call.startedAt)) * 1000) / 1000
}

/** `{name, version}` of a peer, strings only, cut to 256. */
export function toPeer(info: unknown): { name?: string; version?: string } {
  const name = memberOf(info, 'name')
  const version = memberOf(info, 'version')
  return {
    ...(typeof name === 'string' ? { name: name.slice(0, 256) } : {}),
    ...(typeof version === 'string' ? { version: version.slice(0, 256) } : {}),
  }
}

/** `params._meta`, empty when there is none. */
export function metaOf(params: Members | undefined): Members {
  return (memberOf(params, '_meta') ?? {}) as Members // readFrame refused a `_meta` that is no object
}

/** Key that a call and its retry after `input_required` share: the state handed out, else tool and arguments. */
export function retryKeyOf(state: unknown, params: Members | undefined): string {
  const own = typeof state === 'string' ? ['state', state] : ['call', memberOf(params, 'name'), memberOf(params, 'arguments')]
  return hash('sha256', JSON.stringify(own), 'hex')
}

/** The stateless era is claimed by each request for itself. */
export function isModern(params: Members | undefined): boolean {
  const version = memberOf(metaOf(params), 'io.modelcontextprotocol/protocolVersion')
  return typeof version === 'string' && version >= MODERN
}
