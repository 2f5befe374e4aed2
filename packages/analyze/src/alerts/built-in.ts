/**
 * The rules that every ledger has unless `audit.alerts.disable` names them. Data of the same shape as a user's own.
 *
 * The first three carry the names and numbers of the founding documents.
 * @module
 */
import type { AlertsSection, Rule } from './rule.ts'

const NO_ACTION = [
  'authorization_decision',
  'approval_requested',
  'tool_call_end',
  'tool_call_error',
  'model_response',
  'model_error',
  'session_start',
  'session_end',
  'dlp_match',
  'config_loaded',
  'config_reloaded',
  'config_reload_failed',
  'config_tampered',
  'instrumentation_report',
  'observation_gap',
]
const INTENTS = ['tool_call_start', 'authorization_decision', 'data_access', 'data_modification']
const SECRET = String.raw`(?i)(^|[/\\])(\.env(\.[a-z]+)?|\.ssh|\.aws|\.gnupg|\.kube|\.netrc|\.npmrc|\.pgpass|id_(rsa|ed25519|ecdsa)|credentials(\.json)?|secrets?(\.[a-z]+)?|shadow|[^/\\]*\.(pem|p12|pfx|key|kdbx))([/\\]|$)`
const NETWORK =
  '(?i)(^|[_.:/-])(fetch|http|https|curl|wget|request|post|send|upload|email|mail|webhook|browser|browse|navigate|publish)([_.:/-]|$)'
const matches = (pattern: string) => `.matches(${JSON.stringify(pattern)})`
const allowed = '(decision == null || decision == "allow")'
const isSecret = `${allowed} && (event_type == "dlp_match" ? direction == "response" : target != null && target${matches(SECRET)} || arguments != null && has(arguments.path) && arguments.path${matches(SECRET)})`
const toNetwork = `${allowed} && event_type != "dlp_match" && (target != null && target.contains("://") && target.matches("^(https?|wss?|ftp|s3|gs)://") || tool != null && tool${matches(NETWORK)} || arguments != null && has(arguments.url))`
const covers = 'metadata.?can_block.orValue(true) == true && metadata.?tested.orValue(true) == true'

export const BUILT_IN: readonly Rule[] = [
  {
    name: 'high_error_rate',
    severity: 'error',
    ratio: { of: 'severity in ["error", "critical"]', more_than: 0.2, at_least: 11 },
  },
  {
    name: 'excessive_user_activity',
    when: `!(event_type in ${JSON.stringify(NO_ACTION)}) || decision == "deny"`,
    by: ['user'],
    threshold: { more_than: 1000 },
  },
  {
    name: 'auth_failure_spike',
    severity: 'error',
    events: ['auth_failure', 'identity_token_rejected'],
    threshold: { more_than: 10 },
  },
  {
    name: 'denial_spike',
    severity: 'error',
    events: ['authorization_decision', 'method_blocked'],
    when: 'decision == "deny" || event_type == "method_blocked"',
    by: ['agent'],
    window: '5m',
    cool_down: '30m',
    threshold: { more_than: 10 },
  },
  {
    name: 'dlp_burst',
    severity: 'error',
    events: ['dlp_match'],
    by: ['agent'],
    window: '10m',
    cool_down: '1h',
    threshold: { more_than: 10 },
  },
  { name: 'new_tool', events: INTENTS, when: 'tool != null', by: ['agent'], first_seen: { of: 'tool', after: '1d', at_least: 50 } },
  {
    name: 'new_target',
    events: INTENTS,
    when: 'target != null',
    by: ['agent'],
    first_seen: { of: 'target_place', after: '1d', at_least: 50 },
  },
  {
    name: 'off_hours',
    events: [...INTENTS, 'auth_success'],
    when: 'user != null',
    by: ['user'],
    first_seen: { of: 'hour', after: '14d', at_least: 100 },
  },
  {
    name: 'exfiltration_shape',
    severity: 'critical',
    events: [...INTENTS, 'dlp_match'],
    by: ['session_id'],
    window: '10m',
    sequence: [isSecret, toNetwork],
  },
  {
    name: 'approval_fatigue',
    events: ['authorization_decision'],
    when: 'human_decision != null && human_decision.approved == true && human_decision.response_time_ms < 3000',
    by: ['human_decision.approver'],
    window: '10m',
    cool_down: '1h',
    threshold: { more_than: 5 },
  },
  {
    name: 'silent_recorder',
    when: 'event_type == "tool_call_start" || event_type == "authorization_decision" && decision == "allow"',
    by: ['session_id'],
    window: '15m',
    silence: true,
  },
  {
    name: 'coverage_drop',
    severity: 'error',
    events: ['instrumentation_report'],
    by: ['metadata.package', 'metadata.client'],
    window: '30d',
    cool_down: '1s',
    sequence: [covers, `!(${covers})`],
  },
  { name: 'call_without_outcome', by: ['session_id', 'tool'], window: '15m', cool_down: '1h', unseen: 'no_outcome' },
  { name: 'call_not_recorded', by: ['session_id', 'tool'], window: '15m', cool_down: '1h', unseen: 'announced_not_recorded' },
  { name: 'silent_hooks', by: ['client'], window: '5m', cool_down: '1d', unseen: 'no_hook' },
  { name: 'gap', events: ['observation_gap', 'log.gap', 'log.recovered'], cool_down: '1m' },
]

/** The rules in force: the built-in ones that are not disabled, then those of the section. */
export function rulesOf({ disable = [], rules = [] }: AlertsSection): readonly Rule[] {
  return [...BUILT_IN.filter(({ name }) => !disable.includes(name)), ...rules]
}
