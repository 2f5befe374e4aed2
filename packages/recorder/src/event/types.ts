/**
 * The event as a caller reports it: flat, snake_case, every member optional but its type.
 *
 * Hostile input: the types say what is meant, `shapeEvent` checks what arrived.
 * Source: docs/format.md (spec events §1).
 * @module
 */
import type { EventType, ReasonCode, Severity } from '@sworn/verify/events'

export interface AgentInfo {
  readonly name?: string
  readonly version?: string
  readonly framework?: string
  readonly model?: string
  readonly parent_agent_id?: string
  readonly instance?: string
}

export interface SourceInfo {
  readonly kind?: 'mcp_stdio' | 'mcp_http' | 'sdk' | 'instrumentation' | 'hook' | 'otlp' | 'import'
  readonly name?: string
  readonly version?: string
  /** inline: we could have stopped it; observed: we saw it; reported: somebody told us. */
  readonly vantage?: 'inline' | 'observed' | 'reported'
}

export interface HumanDecision {
  readonly approved?: boolean
  readonly response_time_ms?: number
  readonly dialog_shown_at?: string
  readonly approver?: string
  readonly channel?: string
  readonly shown_hash?: string
  readonly reason?: string
}

export interface Usage {
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cache_read_tokens?: number
  readonly cache_write_tokens?: number
  readonly reasoning_tokens?: number
}

/** Members that a context supplies to every event recorded under it. */
export interface EventContext {
  readonly user?: string
  readonly role?: string
  readonly org_unit?: string
  readonly user_source?: 'config' | 'env' | 'token' | 'header' | 'os' | 'none'
  readonly agent_id?: string
  readonly agent?: AgentInfo
  readonly session_id?: string
  readonly correlation_id?: string
  readonly parent_id?: string
  readonly trace_id?: string
  readonly span_id?: string
  readonly source?: SourceInfo
  readonly ip_address?: string
  readonly user_agent?: string
}

export interface AuditEvent extends EventContext {
  /** One of `EVENT_TYPES`, or a caller's own word; never `log.*`. */
  readonly event_type: EventType | (string & {})
  /** UUIDv7; made when absent. Retries of one event carry one id. */
  readonly event_id?: string
  /** RFC 3339, UTC, milliseconds, `Z`; the moment of `record()` when absent. */
  readonly timestamp?: string
  readonly severity?: Severity
  readonly decision?: 'allow' | 'deny' | 'ask'
  readonly tool?: string
  readonly target?: string
  readonly server?: string
  readonly method?: string
  readonly rpc_id?: string | number
  readonly arguments?: unknown
  readonly arguments_hash?: string
  readonly reason?: string
  readonly reason_code?: ReasonCode
  readonly matched_rule?: string
  readonly policy_name?: string
  readonly policy_version?: string
  readonly policy_hash?: string
  readonly policy_mode?: 'enforce' | 'monitor' | 'dry_run'
  readonly violation?: boolean
  readonly enforced?: boolean
  readonly risk_level?: 'low' | 'medium' | 'high' | 'critical'
  readonly error_code?: number
  readonly error_profile?: string
  readonly human_decision?: HumanDecision
  readonly result?: unknown
  readonly result_hash?: string
  readonly result_bytes?: number
  readonly result_truncated?: boolean
  readonly is_error?: boolean
  readonly error?: unknown
  readonly error_type?: string
  readonly duration_ms?: number
  readonly pattern?: string
  readonly match_count?: number
  readonly redacted?: boolean
  readonly direction?: 'request' | 'response'
  readonly dlp_action?: 'warn' | 'mask' | 'block'
  readonly model?: string
  readonly provider?: string
  readonly usage?: Usage
  readonly cost_usd?: number
  readonly finish_reason?: string
  readonly token_id?: string
  readonly expires_at?: string
  readonly issuer?: string
  readonly old_token_id?: string
  readonly new_token_id?: string
  readonly metadata?: unknown
  /** Unknown members are kept, after the known ones, redacted. */
  readonly [member: string]: unknown
}
