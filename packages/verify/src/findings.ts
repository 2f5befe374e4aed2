/**
 * What a check can find, and which claim each finding breaks.
 *
 * The class names are stable: scripts and alerts match on them. A finding is data, not an error; the list
 * is bounded, so a hostile log cannot fill the memory, but every finding still breaks its level.
 * Source: docs/format.md, result of verification.
 * @module
 */

/** Claims in rising order; each includes those before it. `complete` stands apart. */
export const LEVELS = ['bytes', 'chain', 'tree', 'signed', 'anchored', 'complete'] as const
export type LevelName = (typeof LEVELS)[number]

/** finding class -> the level it breaks. */
export const FINDING_LEVEL = {
  suffix_malformed: 'bytes',
  json_invalid: 'bytes',
  duplicate_member: 'bytes',
  record_malformed: 'bytes',
  foreign_file: 'bytes',
  seq_gap: 'chain',
  previous_hash_mismatch: 'chain',
  entry_hash_mismatch: 'chain',
  segment_missing: 'chain',
  closed_log_extended: 'chain',
  corrupt: 'chain',
  detached: 'chain',
  copied: 'chain',
  root_mismatch: 'tree',
  truncated_below_checkpoint: 'tree',
  rollback: 'tree',
  fork: 'tree',
  acknowledged_lost: 'tree',
  signature_missing: 'signed',
  signature_invalid: 'signed',
  key_epoch_violation: 'signed',
  state_missing: 'signed',
  state_invalid: 'signed',
  stale: 'anchored',
  unwitnessed: 'anchored',
  withheld: 'complete',
  recovered: 'bytes',
  time_regression: 'bytes',
  time_future: 'bytes',
} as const satisfies Record<string, LevelName>

export type FindingClass = keyof typeof FINDING_LEVEL

/** claim -> the levels whose findings break it. An entry that a signed size shows to be gone is missing, whoever signed. */
export const BROKEN_BY: Readonly<Record<LevelName, readonly LevelName[]>> = {
  bytes: ['bytes'],
  chain: ['bytes', 'chain'],
  tree: ['bytes', 'chain', 'tree'],
  signed: ['bytes', 'chain', 'tree', 'signed'],
  anchored: ['bytes', 'chain', 'tree', 'signed', 'anchored'],
  complete: ['bytes', 'chain', 'tree', 'complete'],
}

const WARNINGS: readonly FindingClass[] = ['recovered', 'time_regression', 'time_future', 'unwitnessed']
const MAX_FINDINGS = 1_000

export interface Finding {
  class: FindingClass
  /** A warning breaks no level. */
  severity: 'finding' | 'warning'
  /** The position where it shows; absent for what lies beside the log. */
  seq?: number
  /** `seq=…` or the name of the checkpoint. */
  at: string
  /** Expected and found, never a value of the log. */
  message: string
}

export interface Findings {
  /** A place beside the log is said once for each class. */
  add(name: FindingClass, where: number | string, message: string, severity?: Finding['severity']): void
  /** The first 1,000, in the order they were met. */
  readonly list: readonly Finding[]
  /** How many more there were. */
  omitted(): number
  /** True when a finding (not a warning) breaks exactly this level. */
  breaks(level: LevelName): boolean
}

export function createFindings(): Findings {
  const list: Finding[] = []
  const broken = new Set<LevelName>()
  const beside = new Set<string>() // what lies beside the log has copies: said once
  let total = 0
  return {
    list,
    add(name, where, message, severity = WARNINGS.includes(name) ? 'warning' : 'finding') {
      if (typeof where === 'string' && beside.size === beside.add(`${name} ${where}`).size) return
      total += 1
      if (severity === 'finding') broken.add(FINDING_LEVEL[name])
      if (list.length >= MAX_FINDINGS) return
      const place = typeof where === 'number' ? { seq: where, at: `seq=${where}` } : { at: where }
      list.push({ class: name, severity, ...place, message })
    },
    omitted: () => total - list.length,
    breaks: (level) => broken.has(level),
  }
}
