/**
 * Evidence that several frameworks ask for, each a filter over event types and members. Words: docs/format.md.
 * @module
 */
import type { EvidenceRule } from '../framework.ts'

export const TOOL_CALLS: EvidenceRule = {
  shows: 'calls of tools and how they ended',
  types: ['tool_call_start', 'tool_call_end', 'tool_call_error'],
}
export const MODEL_CALLS: EvidenceRule = {
  shows: 'calls of models and how they ended',
  types: ['model_request', 'model_response', 'model_error'],
}
export const DATA: EvidenceRule = { shows: 'data that was read or changed', types: ['data_access', 'data_modification'] }
export const SESSIONS: EvidenceRule = { shows: 'when a use of an agent began and ended', types: ['session_start', 'session_end'] }
export const RECORDER: EvidenceRule = { shows: 'when recording began and ended', types: ['log.open', 'log.start', 'log.stop'] }
export const DECISIONS: EvidenceRule = { shows: 'decisions on calls, with policy and reason', types: ['authorization_decision'] }
export const DENIALS: EvidenceRule = {
  shows: 'calls and methods that were refused',
  types: ['authorization_decision', 'method_blocked'],
  where: 'decision == "deny" || event_type == "method_blocked"',
}
export const LET_THROUGH: EvidenceRule = {
  shows: 'a policy was violated and the call was let through',
  types: ['authorization_decision'],
  where: 'violation == true && enforced == false',
}
export const BY_USER: EvidenceRule = {
  shows: 'decisions that name the user',
  types: ['authorization_decision'],
  where: 'user != null && user_source != "none"',
}
export const USER_UNKNOWN: EvidenceRule = {
  shows: 'a call was decided without knowing for whom',
  types: ['authorization_decision'],
  where: 'user == null || user_source == "none"',
}
export const ASKED: EvidenceRule = { shows: 'questions put to a person before a call', types: ['approval_requested'] }
export const ANSWERED: EvidenceRule = {
  shows: 'answers of a person, with who, when and what was shown',
  types: ['authorization_decision'],
  where: 'human_decision.approved == true || human_decision.approved == false',
}
export const STOPPED: EvidenceRule = {
  shows: 'calls that a person stopped',
  types: ['authorization_decision'],
  where: 'human_decision.approved == false',
}
export const UNANSWERED: EvidenceRule = {
  shows: 'nobody answered a question in time, or nobody could be asked',
  types: ['authorization_decision'],
  where: 'reason_code == "approval_timeout" || reason_code == "approval_unavailable"',
}
export const ALERTS: EvidenceRule = { shows: 'alerts, with the entries that prove them', types: ['security_alert'] }
export const HIGH_RISK: EvidenceRule = {
  shows: 'decisions on calls of high or critical risk',
  types: ['authorization_decision'],
  where: 'risk_level == "high" || risk_level == "critical"',
}
export const CONFIG: EvidenceRule = {
  shows: 'policies and configurations that came into force',
  types: ['config_loaded', 'config_reloaded'],
}
export const CONFIG_REFUSED: EvidenceRule = {
  shows: 'changes of configuration that were refused',
  types: ['config_reload_failed', 'config_tampered'],
}
export const SENSITIVE: EvidenceRule = { shows: 'sensitive data that was found', types: ['dlp_match'] }
export const REDACTED: EvidenceRule = {
  shows: 'sensitive data that was redacted before it was recorded or passed on',
  types: ['dlp_match'],
  where: 'redacted == true',
}
export const AUTHENTICATION: EvidenceRule = { shows: 'who authenticated, and who failed to', types: ['auth_success', 'auth_failure'] }
export const IDENTITY: EvidenceRule = {
  shows: 'identities of agents: issued, rotated, rejected, revoked',
  types: ['identity_token_issued', 'identity_token_rotated', 'identity_token_rejected', 'identity_token_revoked'],
}
export const COVERAGE: EvidenceRule = { shows: 'what is instrumented, and whether it can block', types: ['instrumentation_report'] }
export const GAPS: EvidenceRule = { shows: 'recording was interrupted or events were lost', types: ['observation_gap', 'log.gap'] }
export const UNCLEAN: EvidenceRule = {
  shows: 'the recorder before did not end as it should',
  types: ['log.start'],
  where: 'event.previous_stop != "clean"',
}
export const RECOVERED: EvidenceRule = { shows: 'what was done after a crash of the recorder', types: ['log.recovered'] }
export const PRUNED: EvidenceRule = { shows: 'entries that were dropped, and under which policy', types: ['log.prune'] }
export const ERASED: EvidenceRule = { shows: 'erasures on request', types: ['log.erasure'] }
export const LIMITS: EvidenceRule = {
  shows: 'calls that were refused over a rate or budget',
  types: ['authorization_decision'],
  where: 'reason_code == "rate_limited" || reason_code == "budget_exceeded"',
}
export const CHECKPOINTS: EvidenceRule = { shows: 'checkpoints of the whole log', types: ['log.checkpoint', 'log.anchor'] }
