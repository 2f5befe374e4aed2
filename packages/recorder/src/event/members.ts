/**
 * The members of an event, in the order in which they are written, and what each may hold.
 *
 * This table is the only definition: the zod schema, the fast check and the output order come from it.
 * Bounds: an `id` has at most 1,024 characters; a `text` is cut later, by the line limit.
 * Source: docs/format.md (spec events §1).
 * @module
 */
import { REASON_CODES, SEVERITIES } from './vocabulary.ts'

export const MAX_ID_CHARS = 1024

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

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/** name -> kind, in output order. */
export const MEMBERS: { readonly [member: string]: Kind } = {
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

/** Members below which key rules apply; to the named members themselves they never do. */
export const FREE_MEMBERS: ReadonlySet<string> = new Set(['arguments', 'result', 'error', 'metadata'])

/** Known members whose text is scanned for value patterns besides the free ones. */
export const SCANNED_TEXTS: ReadonlySet<string> = new Set(['reason', 'target', 'human_decision'])

export interface Member {
  readonly rank: number
  readonly kind: Kind
}

/** name -> rank and kind; a name that is not here is unknown. */
export const MEMBER_RANKS: ReadonlyMap<string, Member> = new Map(
  Object.entries(MEMBERS).map(([name, kind], rank) => [name, { rank, kind }]),
)

const isString = (value: unknown): value is string => typeof value === 'string'

/** True when `value` has the shape and the bounds of `kind`. Reads each sub-member once; may throw what a getter throws. */
export function accepts(kind: Kind, value: unknown): boolean {
  if (kind === 'id') return isString(value) && value.length <= MAX_ID_CHARS
  if (kind === 'json') return true
  if (kind === 'text') return isString(value)
  if (typeof kind !== 'string')
    return Array.isArray(kind) ? kind.includes(value) : acceptsMembers(kind as { [member: string]: Kind }, value)
  switch (kind) {
    case 'number':
      return Number.isFinite(value)
    case 'count':
      return Number.isSafeInteger(value) && Number(value) >= 0
    case 'integer':
      return Number.isSafeInteger(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'rpc_id':
      return (isString(value) && value.length <= MAX_ID_CHARS) || Number.isFinite(value)
    case 'uuid7':
      return isString(value) && UUID7.test(value)
    case 'time':
      return isString(value) && TIME.test(value)
    case 'event_type':
      return isString(value) && isEventType(value)
  }
}

/** True for a word that a caller may use as event_type: 1-128 characters, not `log.…`. */
export function isEventType(value: string): boolean {
  return value.length > 0 && value.length <= 128 && !value.startsWith('log.')
}

function acceptsMembers(kinds: { readonly [member: string]: Kind }, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const name of Object.keys(kinds)) {
    const member = (value as Record<string, unknown>)[name] // an object: checked above
    if (member !== undefined && !accepts(kinds[name]!, member)) return false
  }
  return true
}
