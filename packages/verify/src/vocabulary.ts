/**
 * The words of the log: event types, severities, reason codes, groups.
 *
 * These and no others; an unknown event type is kept, an unknown reason code is an error.
 * Source: docs/format.md (spec events §2, §3, §5).
 * @module
 */

export const SEVERITIES = ['debug', 'info', 'warning', 'error', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

export const EVENT_TYPES = [
  'session_start',
  'session_end',
  'authorization_decision',
  'approval_requested',
  'tool_call_start',
  'tool_call_end',
  'tool_call_error',
  'method_blocked',
  'model_request',
  'model_response',
  'model_error',
  'dlp_match',
  'auth_success',
  'auth_failure',
  'identity_token_issued',
  'identity_token_rotated',
  'identity_token_rejected',
  'identity_token_revoked',
  'data_access',
  'data_modification',
  'security_alert',
  'config_loaded',
  'config_reloaded',
  'config_reload_failed',
  'config_tampered',
  'instrumentation_report',
  'observation_gap',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

export const REASON_CODES = [
  'matched_allowed_tools',
  'matched_rule',
  'default_allow',
  'human_approved',
  'monitor_only',
  'tool_not_allowed',
  'tool_blocked',
  'tool_denied',
  'argument_mismatch',
  'argument_undeclared',
  'schema_mismatch',
  'protected_path',
  'path_not_allowed',
  'command_dangerous',
  'command_needs_review',
  'method_not_allowed',
  'malformed_request',
  'rate_limited',
  'budget_exceeded',
  'dry_run',
  'dlp_blocked',
  'human_denied',
  'approval_timeout',
  'approval_unavailable',
  'approval_late',
  'approval_cooldown',
  'identity_missing',
  'identity_invalid',
  'identity_revoked',
  'role_unknown',
  'audit_unavailable',
  'policy_invalid',
] as const
export type ReasonCode = (typeof REASON_CODES)[number]

/** The groups that `audit.events` may name -> the types in each. */
export const EVENT_GROUPS = {
  tool_execution: ['tool_call_start', 'tool_call_end', 'tool_call_error', 'method_blocked', 'dlp_match', 'session_start', 'session_end'],
  authentication: ['auth_success', 'auth_failure'],
  authorization: ['authorization_decision', 'approval_requested', 'method_blocked'],
  errors: ['tool_call_error', 'model_error', 'config_reload_failed', 'security_alert'],
  model_calls: ['model_request', 'model_response', 'model_error'],
  data: ['data_access', 'data_modification'],
  identity: ['identity_token_issued', 'identity_token_rotated', 'identity_token_rejected', 'identity_token_revoked'],
  config: ['config_loaded', 'config_reloaded', 'config_reload_failed', 'config_tampered', 'instrumentation_report'],
} as const satisfies Record<string, readonly EventType[]>

/** Payload members that only the ledger writes. A caller that brings one is refused. */
export const RESERVED_MEMBERS = ['seq', 'previous_hash', 'entry_hash', 'signature', 'session_seq', 'producer_id', 'producer_seq'] as const
