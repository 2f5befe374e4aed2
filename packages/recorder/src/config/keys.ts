/**
 * The keys of the `audit:` block, without what checks them: a process that has no configuration file asks no more.
 * @module
 */
import type { AuditBlock, AuditKey } from './schema.ts'

/** Every key once: the compiler says which is missing. */
const KEYS: { readonly [K in AuditKey]: true } = {
  enabled: true,
  log_path: true,
  log_level: true,
  events: true,
  redact: true,
  signing: true,
  hash: true,
  on_audit_failure: true,
  fallback: true,
  policy: true,
  policy_profile: true,
  policy_keys: true,
  roles: true,
  approvals: true,
  prices: true,
  user: true,
  agent: true,
  queue: true,
  rotate_bytes: true,
  shared_file_system: true,
  lock: true,
  retention_days: true,
  retention: true,
  destinations: true,
  sinks: true,
  signing_key: true,
  alerts: true,
}

export const AUDIT_KEYS = Object.keys(KEYS) as readonly AuditKey[] // the table's own keys

/** Sections that this version does not have: what is missing and the way out, in the words of the error. */
export const ABSENT: Partial<Record<keyof AuditBlock, string>> = {
  destinations: 'destinations are configured, but nothing here delivers; leave `file` alone and ship the file of the ledger',
  alerts: 'alerts are configured, but nothing here looks for them; open the ledger with the package sworn',
  sinks: 'sinks are configured, but nothing here delivers; take them out, set log_path and ship the file of the ledger',
}
