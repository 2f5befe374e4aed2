/**
 * AGEF v1.0.0, Aegis's neutral event format: sections for agent, action, decision, guardrail, approval, evidence.
 *
 * It has no section for a tool's result, a model call or a user; those go with the rest under `metadata.sworn`.
 * `evidence` names the entry's place in our ledger. Source: `specs/agef/v1/schema.json`.
 * @module
 */
import type { JsonObject, JsonValue } from '@sworn/verify'
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import type { Event } from '../members.ts'
import { inverse, type Names, own, part, section, toOurs, toTheirs, toTimestamp, word } from './values.ts'

const AGENT: Names = { name: 'name', framework: 'framework', model: 'model', parent_agent_id: 'parent_agent_id' }
const ACTION: Names = { tool: 'type', target: 'target', arguments: 'params' }
const DECISION: Names = { risk_level: 'risk_level', matched_rule: 'rule', reason: 'reason' }
const TYPES: Names = { dlp_match: 'guardrail_trigger', approval_requested: 'approval_request' }
const OUTCOMES: Names = { allow: 'allowed', deny: 'blocked', ask: 'escalated' }
const ACTIONS: Names = { mask: 'mask', block: 'block', warn: 'warn' }

export const agefCodec: Codec = {
  name: 'agef',
  slot: 'metadata',
  encode(event) {
    return {
      agef_version: '1.0.0',
      event_id: event.event_id,
      timestamp: event.timestamp,
      event_type: toType(event),
      agent: section({ id: event.agent_id, ...toTheirs(part(event, 'agent'), AGENT) }),
      action: section(toTheirs(event, ACTION)),
      decision: section({ outcome: toOutcome(event), ...toTheirs(event, DECISION) }),
      guardrail: toGuardrail(event),
      approval: toApproval(event),
      evidence: toEvidence(event),
      context: section({ trace_id: event.trace_id, span_id: event.span_id }),
      metadata: part(event, 'metadata'),
    }
  },
  decode(record) {
    const agent = part(record, 'agent')
    const evidence = part(record, 'evidence')
    return {
      event_id: record.event_id,
      timestamp: toTimestamp(record.timestamp),
      ...fromType(record),
      agent_id: own(agent, 'id'),
      agent: section(toOurs(agent, AGENT)),
      ...toOurs(part(record, 'action'), ACTION),
      ...toOurs(part(record, 'decision'), DECISION),
      ...fromGuardrail(part(record, 'guardrail')),
      human_decision: fromApproval(part(record, 'approval')),
      session_id: own(evidence, 'session_id'),
      trace_id: own(part(record, 'context'), 'trace_id'),
      span_id: own(part(record, 'context'), 'span_id'),
      metadata: section(part(record, 'metadata')),
    }
  },
}

function toType(event: Event): string {
  if (event.event_type !== 'authorization_decision')
    return Object.hasOwn(TYPES, event.event_type) ? TYPES[event.event_type]! : 'audit_entry'
  if (event.reason_code === 'rate_limited') return 'rate_limit'
  return event.human_decision === undefined ? 'policy_decision' : 'approval_response'
}

function fromType(record: JsonObject): Partial<Event> {
  const type = word(inverse(TYPES), record.event_type)
  const decision = fromOutcome(own(part(record, 'decision'), 'outcome'))
  if (type === 'rate_limit') return { ...decision, event_type: 'authorization_decision', reason_code: 'rate_limited' }
  const isDecision = type === 'policy_decision' || type === 'approval_response'
  const isOurs = isDecision || type === 'dlp_match' || type === 'approval_requested'
  return { ...decision, ...(isOurs && { event_type: isDecision ? 'authorization_decision' : String(type) }) }
}

function toOutcome({ decision, violation, enforced }: Event): JsonValue | undefined {
  return decision === 'allow' && violation === true && enforced === false ? 'warned' : word(OUTCOMES, decision)
}

function fromOutcome(outcome: JsonValue | undefined): Partial<Event> {
  if (outcome === 'warned') return { decision: 'allow', violation: true, enforced: false }
  const decision = word(inverse(OUTCOMES), outcome)
  return decision === undefined ? {} : { decision }
}

function toGuardrail(event: Event): JsonObject | undefined {
  if (event.event_type !== 'dlp_match') return undefined
  const details = section({ match_count: event.match_count, redacted: event.redacted, direction: event.direction })
  return section({ name: event.pattern, type: 'dlp', action: word(ACTIONS, event.dlp_action), severity: event.severity, details })
}

function fromGuardrail(guardrail: JsonObject): Readonly<Record<string, JsonValue | undefined>> {
  const details = part(guardrail, 'details')
  return {
    pattern: own(guardrail, 'name'),
    dlp_action: own(guardrail, 'action'),
    severity: own(guardrail, 'severity'),
    ...Object.fromEntries(['match_count', 'redacted', 'direction'].map((name) => [name, own(details, name)])),
  }
}

function toApproval(event: Event): JsonObject | undefined {
  const human = part(event, 'human_decision')
  const approved = own(human, 'approved')
  const decision =
    event.reason_code === 'approval_timeout' ? 'timeout' : approved === true ? 'approved' : approved === false ? 'denied' : undefined
  return section({
    request_id: event.event_type === 'approval_requested' ? event.correlation_id : undefined,
    requested_at: own(human, 'dialog_shown_at'),
    approver: own(human, 'approver'),
    decision,
    reason: own(human, 'reason'),
  })
}

function fromApproval(approval: JsonObject): JsonObject | undefined {
  const decision = own(approval, 'decision')
  return section({
    approved: decision === 'approved' ? true : decision === 'denied' ? false : undefined,
    dialog_shown_at: own(approval, 'requested_at'),
    approver: own(approval, 'approver'),
    reason: own(approval, 'reason'),
  })
}

function toEvidence(event: Event): JsonObject | undefined {
  const { entry_hash, previous_hash } = event
  return section({
    hash: typeof entry_hash === 'string' ? `sha256:${entry_hash}` : undefined,
    previous_hash: typeof previous_hash === 'string' ? `sha256:${previous_hash}` : undefined,
    session_id: event.session_id,
    sequence_number: event.seq,
  })
}

export const agef = lineDialect(
  {
    name: 'agef',
    title: 'AGEF v1.0.0 (Aegis)',
    source: 'agent-aegis specs/agef/v1/schema.json',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names:
      'timestamp event_type severity decision tool target agent_id session_id event_id agent.name agent.framework agent.model agent.parent_agent_id trace_id span_id arguments reason reason_code matched_rule risk_level human_decision.approved human_decision.dialog_shown_at human_decision.approver human_decision.reason pattern match_count redacted direction dlp_action metadata'.split(
        ' ',
      ),
    rest: REST.metadata,
    loss: [
      'No section for results, model calls and users.',
      'Everything but decisions, DLP matches and approvals is an `audit_entry`; its type is among the rest.',
    ],
  },
  agefCodec,
)
