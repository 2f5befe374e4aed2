/**
 * The members of an event, in the order in which they are written, and what each may hold.
 *
 * This table is the only definition: whoever writes, maps, filters or checks events reads it here.
 * Bounds: an `id` has at most 1,024 characters; a `text` is cut later, by the line limit.
 * Source: docs/format.md (spec events §1).
 * @module
 */
import { REASON_CODES, SEVERITIES } from './vocabulary.ts'

export const MAX_ID_CHARS = 1024
export const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
export const TIME =
  /^(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/** What a member may hold; an array lists the only words; an object names sub-members. */
export type Kind =
  | 'id'
  | 'text'
  | 'uuid7'
  | 'time'
  | 'number'
  | 'count'
  | 'integer'
  | 'flag'
  | 'json'
  | 'rpc_id'
  | 'event_type'
  | readonly string[]
  | { readonly [member: string]: Kind }

/** name -> kind, in output order. */
export const EVENT_MEMBERS: { readonly [member: string]: Kind } = {
  timestamp: 'time',
  event_type: 'event_type',
  severity: SEVERITIES,
  decision: ['allow', 'deny', 'ask'],
  tool: 'id',
  target: 'text',
  user: 'id',
  agent_id: 'id',
  session_id: 'id',
  event_id: 'uuid7',
  role: 'id',
  org_unit: 'id',
  user_source: ['config', 'env', 'token', 'header', 'os', 'none'],
  agent: { name: 'id', version: 'id', framework: 'id', model: 'id', parent_agent_id: 'id', instance: 'id' },
  correlation_id: 'id',
  parent_id: 'id',
  trace_id: 'id',
  span_id: 'id',
  source: {
    kind: ['mcp_stdio', 'mcp_http', 'sdk', 'instrumentation', 'hook', 'otlp', 'import'],
    name: 'id',
    version: 'id',
    vantage: ['inline', 'observed', 'reported'],
  },
  ip_address: 'id',
  user_agent: 'id',
  server: 'id',
  method: 'id',
  rpc_id: 'rpc_id',
  arguments: 'json',
  arguments_hash: 'id',
  reason: 'text',
  reason_code: REASON_CODES,
  matched_rule: 'id',
  policy_name: 'id',
  policy_version: 'id',
  policy_hash: 'id',
  policy_mode: ['enforce', 'monitor', 'dry_run'],
  violation: 'flag',
  enforced: 'flag',
  risk_level: ['low', 'medium', 'high', 'critical'],
  error_code: 'integer',
  error_profile: 'id',
  human_decision: {
    approved: 'flag',
    response_time_ms: 'number',
    dialog_shown_at: 'id',
    approver: 'id',
    channel: 'id',
    shown_hash: 'id',
    reason: 'text',
  },
  result: 'json',
  result_hash: 'id',
  result_bytes: 'count',
  result_truncated: 'flag',
  is_error: 'flag',
  error: 'json',
  error_type: 'id',
  duration_ms: 'number',
  pattern: 'id',
  match_count: 'count',
  redacted: 'flag',
  direction: ['request', 'response'],
  dlp_action: ['warn', 'mask', 'block'],
  model: 'id',
  provider: 'id',
  usage: {
    input_tokens: 'count',
    output_tokens: 'count',
    cache_read_tokens: 'count',
    cache_write_tokens: 'count',
    reasoning_tokens: 'count',
  },
  cost_usd: 'number',
  finish_reason: 'id',
  token_id: 'id',
  expires_at: 'id',
  issuer: 'id',
  old_token_id: 'id',
  new_token_id: 'id',
  metadata: 'json',
}
