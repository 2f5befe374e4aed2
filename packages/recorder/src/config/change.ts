/**
 * What a reload may change, and what it did change.
 *
 * Redaction, filter, policy and the failure option follow the file. Everything else belongs to the open ledger or
 * to the session (its path, its hash, who acts): it stays as it was, by name. Names are told, never values.
 * @module
 */
import { AUDIT_KEYS } from './keys.ts'
import type { LoadedConfig } from './load.ts'
import type { AuditKey } from './schema.ts'

const FOLLOWED: ReadonlySet<AuditKey> = new Set([
  'redact',
  'events',
  'log_level',
  'on_audit_failure',
  'policy',
  'policy_profile',
  'policy_keys',
  'roles',
  'retention_days', // asked only by sworn retain
  'retention',
  'alerts',
  'lock', // asked only while files are read
])

export interface ConfigChange {
  /** The new configuration with the old values of `fixed`: what may come into force. */
  readonly config: LoadedConfig
  /** Keys whose value changed and follows. */
  readonly changed: readonly AuditKey[]
  /** Keys whose value changed and cannot while the ledger is open. */
  readonly fixed: readonly AuditKey[]
}

/** Compares what is in force with what the files say now. */
export function compareConfig(inForce: LoadedConfig, read: LoadedConfig): ConfigChange {
  const different = AUDIT_KEYS.filter((key) => JSON.stringify(inForce.values[key]) !== JSON.stringify(read.values[key]))
  const fixed = different.filter((key) => !FOLLOWED.has(key))
  return {
    config: { ...read, values: keep(inForce.values, read.values, fixed), origins: keep(inForce.origins, read.origins, fixed) },
    changed: different.filter((key) => FOLLOWED.has(key)),
    fixed,
  }
}

/** `after` with the members `names` of `before`; what `before` lacks is absent. */
function keep<T extends object>(before: T, after: T, names: readonly AuditKey[]): T {
  const kept = Object.entries(before).filter(([name]) => isOneOf(name, names))
  const followed = Object.entries(after).filter(([name]) => !isOneOf(name, names))
  return Object.fromEntries([...followed, ...kept]) as T // the members of one T or the other
}

function isOneOf(name: string, names: readonly string[]): boolean {
  return names.includes(name)
}
