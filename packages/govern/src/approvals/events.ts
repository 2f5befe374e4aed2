/**
 * What is recorded about a question, as plain events: asked, answered too late, answered wrongly, settled.
 *
 * Pure. `metadata.approval.id` ties them together beside the correlation_id. A late answer stands in
 * `metadata.answer`, never in `human_decision`: it decided nothing. Source: spec events §1-3.
 * @module
 */
import type { AuditEvent, HumanDecision } from '@sworn/recorder'
import type { Settled, State } from './settling.ts'
import type { Answer, ApprovalRequest, Question, Remembered, Settlement } from './types.ts'

const MAX_ID = 1024

type Members = Readonly<Record<string, unknown>>

/** Members of every event about one question. */
function aboutOf({ action, correlationId }: ApprovalRequest): Members {
  const { ids, server } = action
  const named = {
    tool: action.name,
    server: server?.name,
    user: ids.user,
    agent_id: ids.agent,
    session_id: ids.session,
    correlation_id: correlationId,
  }
  return Object.fromEntries(Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value.slice(0, MAX_ID)]])))
}

/** `approval_requested`: what is shown, its hash, by which channels, until when. */
export function requestedEvent(request: ApprovalRequest, question: Question, channels: readonly string[]): AuditEvent {
  const { verdict } = request
  const { id, text, shownHash, expiresAt, askedAt, timeoutMs, scopes } = question
  return {
    event_type: 'approval_requested',
    timestamp: askedAt,
    decision: 'ask',
    ...aboutOf(request),
    reason: verdict.reason,
    ...(verdict.matchedRule !== undefined && { matched_rule: verdict.matchedRule.slice(0, MAX_ID) }),
    ...(verdict.policyHash !== undefined && { policy_hash: verdict.policyHash.slice(0, MAX_ID) }),
    human_decision: { channel: channels.join(','), shown_hash: shownHash },
    expires_at: expiresAt,
    metadata: { approval: { id, channels, scopes, timeout_ms: timeoutMs }, shown: text },
  }
}

/** An answer that came after the question was settled. */
export function lateEvent(
  request: ApprovalRequest,
  question: Question,
  heard: { channel: string; said: Answer; state: State },
): AuditEvent {
  const { channel, said, state } = heard
  return {
    event_type: 'approval_answered',
    ...aboutOf(request),
    reason_code: 'approval_late',
    reason: 'The answer came after the question was settled',
    metadata: {
      approval: { id: question.id, shown_hash: question.shownHash, settled_as: state.settled?.answer },
      answer: { channel, approved: said.approved, scope: said.scope, approver: said.approver, reason: said.reason },
    },
  }
}

/** An answer for another question, other bytes, or none at all. */
export function rejectedEvent(request: ApprovalRequest, question: Question, channel: string, why: 'mismatch' | 'malformed'): AuditEvent {
  const reason = why === 'mismatch' ? 'The answer is for another question or other bytes' : 'The answer is malformed'
  return { event_type: 'auth_failure', ...aboutOf(request), reason, metadata: { approval: { id: question.id }, channel } }
}

/** Members of the decision record. `human_decision` only when the question was shown; `approved` only when a person said so. */
export function settledMembers(
  question: Question,
  state: State,
  settled: Settled,
  showAt: (elapsedMs: number) => string,
): Settlement['members'] {
  const shown = shownOf(state, settled)
  const approval = {
    id: question.id,
    scope: settled.by?.said.scope,
    failed: state.failures.length > 0 ? state.failures.map(({ channel, why }) => `${channel}: ${why}`) : undefined,
    cancelled: settled.cancelled,
  }
  return {
    ...(shown && { human_decision: humanDecision(question, settled, shown, showAt) }),
    metadata: { approval: Object.fromEntries(Object.entries(approval).filter(([, value]) => value !== undefined)) },
  }
}

/** Where the question was shown: on the channel that answered, else on the first. */
function shownOf({ shownMs }: State, { by, elapsedMs }: Settled): { channel: string; atMs: number } | undefined {
  if (by) return { channel: by.channel, atMs: shownMs.get(by.channel) ?? elapsedMs }
  const [first] = shownMs
  return first && { channel: first[0], atMs: first[1] }
}

function humanDecision(
  { shownHash }: Question,
  { by, elapsedMs }: Settled,
  { channel, atMs }: { channel: string; atMs: number },
  showAt: (elapsedMs: number) => string,
): HumanDecision {
  const base = { channel, shown_hash: shownHash, dialog_shown_at: showAt(atMs) }
  if (!by) return base
  const { approved, approver, reason } = by.said
  const told = { ...(approver !== undefined && { approver }), ...(reason !== undefined && { reason }) }
  return { ...base, approved, response_time_ms: Math.round(elapsedMs - atMs), ...told }
}

/** Members of a decision that an earlier approval made: no question was shown this time. */
export function rememberedMembers({ id, scope, channel, approver, shownHash, grantedAt }: Remembered): Settlement['members'] {
  const earlier = { id, remembered: scope, channel, shown_hash: shownHash, granted_at: grantedAt }
  return { metadata: { approval: approver === undefined ? earlier : { ...earlier, approver } } }
}
