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
  policy: true,
  policy_profile: true,
  roles: true,
  approvals: true,
  user: true,
  agent: true,
  queue: true,
  rotate_bytes: true,
  shared_file_system: true,
  lock: true,
  retention_days: true,
  destinations: true,
  sinks: true,
  signing_key: true,
}

export const AUDIT_KEYS = Object.keys(KEYS) as readonly AuditKey[] // the table's own keys

/** Sections that this version does not have: what is missing and the way out, in the words of the error. */
export const ABSENT: Partial<Record<keyof AuditBlock, string>> = {
  retention_days: 'a retention is configured, but nothing here prunes by age; take it out: every entry is kept',
  destinations: 'destinations are configured, but nothing here delivers; leave `file` alone and ship the file of the ledger',
  sinks: 'sinks are configured, but nothing here delivers; take them out, set log_path and ship the file of the ledger',
}
