/**
 * What the guard writes: decision, start, end, error, DLP matches, as events.
 *
 * Pure. Names and codes of a source are hostile: they are cut to their bound, never refused.
 * Source: docs/format.md (spec events §2), spec capture §7.
 * @module
 */

import { MAX_ID_CHARS, REASON_CODES } from '@sworn/verify/events'
import { headOf } from '../event/cut.ts'
import { durationOf } from '../event/duration.ts'
import type { SourceInfo } from '../event/types.ts'
import type { Charged } from './charge.ts'
import type { Action, DlpMatch, Outcome, Spent, Verdict } from './types.ts'

type Event = Record<string, unknown>

const CUT = '[TRUNCATED]'
const bounded = (text: string | undefined) =>
  text === undefined || text.length <= MAX_ID_CHARS ? text : headOf(text, MAX_ID_CHARS - CUT.length) + CUT

/** The members that every record about one action carries. */
export function membersOf(action: Action, correlationId: string, source: SourceInfo): Event {
  const { ids, server, rpc } = action
  const name = bounded(action.name)
  return presentOf({
    ...(action.kind === 'model' ? { model: name } : { tool: name }),
    provider: bounded(action.provider),
    user: bounded(ids.user),
    user_source: ids.userSource,
    agent_id: bounded(ids.agent),
    session_id: bounded(ids.session),
    correlation_id: correlationId,
    parent_id: bounded(ids.parentCall),
    trace_id: bounded(ids.trace),
    span_id: bounded(ids.span),
    source,
    server: bounded(server?.name),
    method: bounded(rpc?.method),
    rpc_id: typeof rpc?.id === 'string' ? bounded(rpc.id) : rpc?.id,
    metadata: metadataOf(action),
  })
}

function metadataOf(action: Action): Event | undefined {
  const { ids, server } = action
  return orNothing({
    kind: action.kind === 'tool' || action.kind === 'model' ? undefined : action.kind,
    raw_name: action.rawName,
    run_id: ids.run,
    turn_id: ids.turn,
    call_id: ids.call,
    server_version: server?.version,
    transport: server?.transport,
    source_time: action.sourceTime,
  })
}

/** The members that have a value. */
export function presentOf(members: Event): Event {
  const present: Event = {}
  for (const name in members) if (members[name] !== undefined) present[name] = members[name]
  return present
}

/** The same; undefined when none has. */
function orNothing(members: Event): Event | undefined {
  const present = presentOf(members)
  for (const _ in present) return present
  return undefined
}

/** What a policy judges by its name: a tool, and a handoff, which a model asks for as one. */
export const isCall = (kind: Action['kind']): boolean => kind === 'tool' || kind === 'handoff'

/** `authorization_decision`, or `method_blocked` for a refused method that is no tool call. */
export function decisionEvent(action: Action, members: Event, verdict: Verdict): Event {
  const blocked = verdict.decision !== 'allow' && !isCall(action.kind)
  const known = (REASON_CODES as readonly string[]).includes(verdict.reasonCode)
  return {
    ...members,
    event_type: blocked ? 'method_blocked' : 'authorization_decision',
    decision: verdict.decision === 'allow' ? 'allow' : 'deny',
    arguments: action.input,
    reason: verdict.reason,
    reason_code: known ? verdict.reasonCode : undefined,
    matched_rule: bounded(verdict.matchedRule),
    policy_name: bounded(verdict.policyName),
    policy_version: bounded(verdict.policyVersion),
    policy_hash: bounded(verdict.policyHash),
    policy_mode: verdict.policyMode,
    violation: verdict.violation,
    enforced: verdict.enforced,
    risk_level: verdict.riskLevel,
    role: bounded(verdict.role),
    org_unit: bounded(verdict.orgUnit),
    ...((verdict.spent || verdict.rate !== undefined) && {
      metadata: { ...(members.metadata as Event | undefined), ...budgetMembers(verdict) }, // made by metadataOf
    }),
    error_code: verdict.rpcError?.code,
    error_profile: bounded(verdict.rpcError?.profile),
  }
}

interface BudgetMembers {
  readonly spent?: readonly Spent[]
  readonly returned?: readonly Spent[]
  readonly rate?: string
}

/** Of the decision's metadata: its rate, and what the call takes from budgets, or gives back because it does not happen. */
export function budgetMembers({ decision, spent, rate }: Verdict): BudgetMembers {
  const rated = rate === undefined ? {} : { rate }
  if (!spent) return rated
  return decision === 'allow' ? { ...rated, spent } : { ...rated, returned: spent.map(({ counter, amount }) => ({ counter, amount })) }
}

/** An attempt on what records or governs the agent. */
export function tamperedEvent(members: Event, { tamperedWith, reason }: Verdict): Event {
  const metadata = { ...(members.metadata as Event | undefined), attempt: 'action', executed: false } // made by metadataOf
  return { ...members, event_type: 'config_tampered', severity: 'error', target: tamperedWith, reason, metadata }
}

export function startEvent(action: Action, members: Event, input: unknown): Event {
  return { ...members, event_type: action.kind === 'model' ? 'model_request' : 'tool_call_start', arguments: input }
}

/** `…_end` for what came back, `…_error` for everything else. */
export function outcomeEvent(action: Event, outcome: Outcome, charged: Charged = {}): Event {
  const { status, output, durationMs, usage, finishReason } = outcome
  const isModel = 'model' in action
  const came = status === 'ok' ? { event_type: isModel ? 'model_response' : 'tool_call_end', is_error: false } : failureOf(outcome, isModel)
  return {
    ...action,
    ...came,
    result: output,
    duration_ms: durationMs === undefined ? undefined : durationOf(durationMs),
    ...(usage && { usage: usageOf(usage), cost_usd: usage.costUsd }),
    finish_reason: bounded(finishReason),
    metadata: endOf(action, charged, outcome),
  }
}

function failureOf({ status, error, errorType }: Outcome, isModel: boolean): Event {
  const error_type = bounded(errorType ?? (status === 'error' ? undefined : status))
  return { event_type: isModel ? 'model_error' : 'tool_call_error', error, error_type }
}

/** The action's metadata with what is known of its end. */
function endOf({ metadata }: Event, { spent, unmeasured }: Charged, { complete }: Outcome): unknown {
  if (!spent && !unmeasured && complete !== false) return metadata
  return presentOf({ ...(metadata as Event | undefined), spent, unmeasured, complete: complete === false ? false : undefined }) // made by metadataOf
}

function usageOf({ inputTokens, outputTokens, cachedTokens }: NonNullable<Outcome['usage']>): Event | undefined {
  return orNothing({ input_tokens: inputTokens, output_tokens: outputTokens, cache_read_tokens: cachedTokens })
}

export function dlpEvent(members: Event, match: DlpMatch): Event {
  return {
    ...members,
    event_type: 'dlp_match',
    pattern: bounded(match.pattern),
    match_count: match.matchCount,
    redacted: match.redacted,
    direction: match.direction,
    dlp_action: match.dlpAction,
    enforced: match.enforced,
  }
}

/** The record that an allowed action did not happen, because its decision could not be acknowledged in time. */
export function notExecutedEvent(members: Event): Event {
  const isModel = 'model' in members
  return {
    ...members,
    event_type: isModel ? 'model_error' : 'tool_call_error',
    error_type: 'not_executed',
    reason_code: 'audit_unavailable',
  }
}
