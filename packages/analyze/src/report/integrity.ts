/**
 * What a verification said, for the pages of a report.
 * @module
 */
import { type Finding, LEVELS, type LevelName, reportVerdict, toHex, type Report as VerifyReport } from '@sworn/verify'

export interface Claim {
  readonly claim: LevelName
  readonly holds: boolean
  readonly detail: string
}

export interface Integrity {
  /** The last line of `sworn verify`. */
  readonly verdict: string
  readonly holds: boolean
  readonly claims: readonly Claim[]
  /** The first of them. */
  readonly findings: readonly Pick<Finding, 'class' | 'at' | 'message' | 'severity'>[]
  readonly finding_count: number
  /** Entries of the ledger when it was checked. */
  readonly size: number
  readonly head: string
  /** Of the tree at `size`; null when a gap leaves it unknown. */
  readonly root: string | null
  readonly origin: string | null
}

const MAX_FINDINGS = 20

export function toIntegrity(report: VerifyReport): Integrity {
  const { exit, lastLine } = reportVerdict(report)
  return {
    verdict: lastLine,
    holds: exit === 0,
    claims: LEVELS.map((claim) => ({ claim, holds: report.levels[claim].holds, detail: report.levels[claim].detail })),
    findings: report.findings
      .slice(0, MAX_FINDINGS)
      .map(({ class: name, at, message, severity }) => ({ class: name, at, message, severity })),
    finding_count: report.findings.length + report.findingsOmitted,
    size: report.size,
    head: report.head,
    root: report.root ? toHex(report.root) : null,
    origin: report.origin ?? null,
  }
}
