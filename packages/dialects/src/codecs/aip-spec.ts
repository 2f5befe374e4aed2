/**
 * The records that the AIP specification and aip-go name: `decision` ALLOW, BLOCK, ALLOW_MONITOR, RATE_LIMITED, and
 * `event` for everything that is no decision.
 *
 * Source: AIP specification, audit fields and events (v1alpha1 to v1alpha3); aip-go `pkg/audit/logger.go`.
 * @module
 */
import type { JsonObject } from '@sworn/verify'
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import type { Event } from '../members.ts'
import { inverse, type Names, own, part, section, toOurs, toTheirs, toTimestamp, word } from './values.ts'

const NAMES: Names = {
  policy_mode: 'policy_mode',
  violation: 'violation',
  method: 'method',
  tool: 'tool',
  arguments: 'args',
  matched_rule: 'failed_rule',
  reason: 'error_reason',
  rpc_id: 'request_id',
  session_id: 'session_id',
  token_id: 'token_id',
  policy_hash: 'policy_hash',
  policy_name: 'policy_name',
  agent_id: 'agent_id',
  user: 'user_id',
  issuer: 'aat_issuer',
  pattern: 'dlp_rule',
  match_count: 'dlp_match_count',
  expires_at: 'expires_at',
  old_token_id: 'old_token_id',
  new_token_id: 'new_token_id',
  error: 'error',
}
const EVENTS: Names = {
  dlp_match: 'DLP_TRIGGERED',
  identity_token_issued: 'TOKEN_ISSUED',
  identity_token_rotated: 'TOKEN_ROTATED',
  identity_token_rejected: 'TOKEN_VALIDATION_FAILED',
  identity_token_revoked: 'REVOCATION',
}
const DIRECTIONS: Names = { request: 'upstream', response: 'downstream' }
const DLP_ACTIONS: Names = { mask: 'REDACTED', block: 'BLOCKED', warn: 'ALERTED' }

export const aipSpecCodec: Codec = {
  name: 'aip-spec',
  slot: 'record',
  encode(event) {
    const isDecision = event.event_type === 'authorization_decision'
    return {
      timestamp: event.timestamp,
      event: isDecision ? undefined : word(EVENTS, event.event_type),
      direction: word(DIRECTIONS, event.direction),
      decision: isDecision ? toDecision(event) : undefined,
      ...toTheirs(event, NAMES),
      agent_name: own(part(event, 'agent'), 'name'),
      dlp_action: word(DLP_ACTIONS, event.dlp_action),
    }
  },
  decode(record) {
    return {
      ...toOurs(record, NAMES),
      timestamp: toTimestamp(record.timestamp),
      event_type: record.event === undefined ? 'authorization_decision' : word(inverse(EVENTS), record.event),
      direction: word(inverse(DIRECTIONS), record.direction),
      agent: section({ name: own(record, 'agent_name') }),
      dlp_action: word(inverse(DLP_ACTIONS), record.dlp_action),
      ...fromDecision(record),
    }
  },
}

function toDecision({ decision, violation, enforced, reason_code }: Event): string | undefined {
  if (decision === 'deny') return reason_code === 'rate_limited' ? 'RATE_LIMITED' : 'BLOCK'
  if (decision === 'allow') return violation === true && enforced === false ? 'ALLOW_MONITOR' : 'ALLOW'
  return undefined
}

function fromDecision({ decision }: JsonObject): Partial<Event> {
  switch (decision) {
    case 'ALLOW':
    case 'ASK_APPROVED':
      return { decision: 'allow' }
    case 'BLOCK':
    case 'ASK_DENIED':
      return { decision: 'deny' }
    case 'ALLOW_MONITOR':
      return { decision: 'allow', violation: true, enforced: false }
    case 'RATE_LIMITED':
      return { decision: 'deny', reason_code: 'rate_limited' }
    default:
      return {}
  }
}

export const aipSpec = lineDialect(
  {
    name: 'aip-spec',
    title: 'AIP specification, aip-go',
    source: 'AIP specification v1alpha1 to v1alpha3, audit fields and events; aip-go pkg/audit',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names:
      'timestamp event_type decision tool user agent_id session_id agent.name method rpc_id arguments reason reason_code matched_rule policy_name policy_hash policy_mode violation error pattern match_count direction dlp_action token_id expires_at issuer old_token_id new_token_id'.split(
        ' ',
      ),
    rest: REST.slot,
    loss: ['There is no word for a person who was asked: an approval is ALLOW or BLOCK, who and how fast is among the rest.'],
  },
  aipSpecCodec,
)
