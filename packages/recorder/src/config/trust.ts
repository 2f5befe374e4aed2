/**
 * What a project's `sworn.yaml` may say before somebody trusted it.
 *
 * It comes from whoever wrote the repository, so it may strengthen and never weaken: add redaction, name a
 * policy where none is set, name the agent. It may not disable or narrow recording, move the ledger, or
 * replace a policy. Trust is by path and content hash; any change of the file ends it.
 * @module
 */
import { createHash } from 'node:crypto'
import type { AuditBlock, AuditKey } from './schema.ts'

/** A key of a project file that was not applied. */
export interface ConfigRefusal {
  readonly key: AuditKey
  readonly file: string
  readonly reason: string
}

/** realpath → SHA-256 of the file's text, lowercase hex. */
export type TrustedFiles = Readonly<Record<string, string>>

export function hashConfig(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What is in force below the project file, for comparison. */
export type Below = (key: AuditKey) => unknown

/** Keys whose change can only add protection; called with the new value and the one in force. */
const STRENGTHENS: Partial<Record<AuditKey, (value: unknown, below: unknown) => boolean>> = {
  redact: () => true,
  agent: () => true,
  policy: (_value, below) => below === undefined,
  roles: (_value, below) => below === undefined,
  enabled: (value) => value === true,
  signing: (value, below) => value === 'record' || below !== 'record',
  on_audit_failure: (value) => value === 'block',
  policy_profile: (value) => value === 'strict',
  policy_keys: (_value, below) => below === undefined,
  alerts: (value, below) => below === undefined && isRulesOnly(value),
}

/** Further rules of alerts: no program, and none of the built-in rules off. */
function isRulesOnly(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).every((key) => key === 'rules')
}

/** Splits an untrusted block into what holds and what is refused. */
export function limitBlock(block: AuditBlock, below: Below, file: string): { block: AuditBlock; refusals: ConfigRefusal[] } {
  const kept: Record<string, unknown> = {}
  const refusals: ConfigRefusal[] = []
  for (const [name, value] of Object.entries(block)) {
    const key = name as AuditKey // readConfig lets no other key through
    const same = JSON.stringify(value) === JSON.stringify(below(key))
    if (same || STRENGTHENS[key]?.(value, below(key))) kept[key] = value
    else refusals.push({ key, file, reason: 'a project file may not change this unless it is trusted' })
  }
  return { block: kept as AuditBlock, refusals } // a subset of a checked block
}

/** Takes out what files of higher trust have locked. */
export function applyLock(
  block: AuditBlock,
  locked: readonly string[],
  below: Below,
  file: string,
): { block: AuditBlock; refusals: ConfigRefusal[] } {
  const refused = Object.entries(block).filter(
    ([key, value]) => locked.includes(key) && key !== 'redact' && JSON.stringify(value) !== JSON.stringify(below(key as AuditKey)),
  )
  const kept = Object.fromEntries(Object.entries(block).filter(([key]) => !refused.some(([name]) => name === key)))
  const refusals = refused.map(([key]) => ({ key: key as AuditKey, file, reason: 'locked by a file of higher trust' }))
  return { block: kept as AuditBlock, refusals }
}
