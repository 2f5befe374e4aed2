/**
 * The result of a verification: one claim a level, and the verdict.
 *
 * Levels are reported separately and each includes those before it. What cannot be claimed is said in words:
 * a key that only the ledger vouches for does not count as signed. Source: docs/format.md, result of
 * verification.
 * @module
 */
import { BROKEN_BY, FINDING_LEVEL, type Finding, type LevelName } from './findings.ts'
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
  /** What `root` is made of: with it, `size` and `head` another verification begins here (`VerifyOptions.start`). */
  frontier?: readonly Uint8Array[]
  hash: HashName
  origin?: string
  logId?: string
  /** Entries before `first` are gone under this log.prune; `policy` is text of the log. */
  pruned?: { seq: number; policy: string }
  /** Values, and records as stubs, whose content log.erasure records say was destroyed; and seq of the first 100 of these. */
  erased?: { targets: number; records: readonly number[] }
  /** A key was pinned: without `require`, `signed` is asked for. */
  pinned: boolean
  required?: LevelName
}

/** What holding means; what the claim itself says stands in its detail. */
const MEANING: Readonly<Record<LevelName, string>> = {
  bytes: 'every line has the form of an entry; whether one was changed was not asked',
  chain: 'no entry was changed, removed or moved unless all behind it was made anew',
  tree: 'the entries are those that the checkpoints were made over',
  signed: 'nothing that was signed was changed, and the key is one you trust',
  anchored: 'others than the owner of this log have seen what it holds',
  complete: 'no entry is missing from what is here',
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
  if (!levels[asked].holds) return { exit: 1, lastLine: `${asked} does not hold: ${firstReason(report, asked)}` }
  if (asked === 'tree' && !levels.signed.holds) {
    return { exit: 0, lastLine: 'nobody edited this carelessly; who wrote it is not shown' }
  }
  return { exit: 0, lastLine: `${asked} holds: ${MEANING[asked]}` }
}

function firstReason(report: Report, asked: LevelName): string {
  const first = firstBreak(report, asked)
  return first ? `${first.class} at ${first.at}, ${first.message}` : report.levels[asked].detail
}

/** The first finding that breaks the claim. */
export function firstBreak(report: Report, level: LevelName): Finding | undefined {
  return report.findings.find((f) => f.severity === 'finding' && BROKEN_BY[level].includes(FINDING_LEVEL[f.class]))
}

/** Entries from `from` up to and without `to`, for people. */
export function formatSeqs(from: number, to: number): string {
  if (to <= from) return 'no entry'
  return to - from === 1 ? `seq ${from}` : `seq ${from} to ${to - 1}`
}
