/** The severity of an event whose caller gave none. Source: docs/format.md (spec events §1). @module */
import type { Severity } from '@sworn/verify/events'

const ERRORS: ReadonlySet<unknown> = new Set([
  'tool_call_error',
  'model_error',
  'security_alert',
  'config_reload_failed',
  'config_tampered',
])
const WARNINGS: ReadonlySet<unknown> = new Set([
  'method_blocked',
  'dlp_match',
  'auth_failure',
  'observation_gap',
  'identity_token_rejected',
])

/** Critical risk: critical; error or high risk: error; a refusal or blindness: warning; else info. */
export function deriveSeverity(event: Readonly<Record<string, unknown>>): Severity {
  if (event.risk_level === 'critical') return 'critical'
  if (event.risk_level === 'high' || event.is_error === true || ERRORS.has(event.event_type)) return 'error'
  if (event.error !== undefined && event.error !== null) return 'error'
  return event.decision === 'deny' || WARNINGS.has(event.event_type) ? 'warning' : 'info'
}
