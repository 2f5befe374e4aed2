/**
 * The result of a verification: one claim a level, and the verdict.
 *
 * Levels are reported separately and each includes those before it. What cannot be claimed is said in words:
 * a key that only the ledger vouches for does not count as signed. Source: docs/format.md, result of
 * verification.
 * @module
 */
import { FINDING_LEVEL, type Finding, LEVELS, type LevelName } from './findings.ts'
import type { HashName } from './primitives.ts'
import type { SessionCount } from './sessions.ts'

export interface Level {
  holds: boolean
  /** One line for people; no text of the log but the key name. */
  detail: string
}

export interface SignedLevel extends Level {
  /** Entries with a smaller seq are covered by a checked signature. */
  size: number
  /** The epoch whose key signed that size. */
  epoch?: number
  vkey?: string
  /** The key is pinned by the verifier, directly or through transitions from the pinned one. */
  known: boolean
  /** Signatures up to this size come from keys before the pinned one. */
  uncheckedBelow: number
  /** Signatures for which no key is known here. */
  unchecked: number
  /** Entries that were on disk unsigned when another writer took over: chain only, signed after a restart. At most 100. */
  takeovers: readonly { from: number; to: number }[]
}

export interface AnchoredLevel extends Level {
  /** Largest size that enough witnesses cosigned. */
  size: number
  /** Witnesses that cosigned it. */
  quorum: number
  /** Age of the newest such cosignature, when a clock was given. */
  ageMs?: number
}

export interface CompleteLevel extends Level {
  scope: 'range' | 'session' | 'none'
  /** Present when the payloads were parsed. */
  sessions?: SessionCount
}

export interface Report {
  levels: { bytes: Level; chain: Level; tree: Level; signed: SignedLevel; anchored: AnchoredLevel; complete: CompleteLevel }
  /** At most 1,000, in the order they were met. */
  findings: readonly Finding[]
  findingsOmitted: number
  /** seq of the first entry that was read. */
  first: number
  /** Entries of the log up to the end of what was read: last seq + 1. */
  size: number
  /** entry_hash of the last entry, 64 hex characters. */
  head: string
  /** Root at `size`; absent when a gap leaves it unknown. */
  root?: Uint8Array
  hash: HashName
  origin?: string
  logId?: string
  /** Entries before `first` are gone under this log.prune; `policy` is text of the log. */
  pruned?: { seq: number; policy: string }
  /** A key was pinned: without `require`, `signed` is asked for. */
  pinned: boolean
  required?: LevelName
}

/**
 * What the report means for the level asked for.
 *
 * @param require `signed` when a key was pinned, else `tree`
 * @returns exit 0 when the level and all it includes hold, else 1; and the line to print last
 */
export function reportVerdict(report: Report, require?: LevelName): { exit: 0 | 1; lastLine: string } {
  const asked = require ?? report.required ?? (report.pinned ? 'signed' : 'tree')
  const { levels } = report
  const holds = asked === 'complete' ? levels.chain.holds && levels.complete.holds : levels[asked].holds
  if (!holds) return { exit: 1, lastLine: `${asked} does not hold: ${firstReason(report, asked)}` }
  if (asked === 'tree' && !levels.signed.holds) {
    return { exit: 0, lastLine: 'nobody edited this carelessly; who wrote it is not shown' }
  }
  return { exit: 0, lastLine: `${asked} holds: ${levels[asked].detail}` }
}

function firstReason(report: Report, asked: LevelName): string {
  const rank = LEVELS.indexOf(asked)
  const first = report.findings.find((f) => f.severity === 'finding' && LEVELS.indexOf(FINDING_LEVEL[f.class]) <= rank)
  return first ? `${first.class} at ${first.at}, ${first.message}` : report.levels[asked].detail
}
