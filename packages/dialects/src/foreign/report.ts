/**
 * What a check of a foreign log says: each claim for itself, what the format cannot prove, and every finding.
 *
 * The claims are those of our own verification. A claim that the format has no means for is `possible: false`: it is
 * neither held against the log nor granted. Findings are bounded; each still breaks its claim.
 * Source: docs/reference/foreign.md.
 * @module
 */
import { BROKEN_BY, LEVELS, type LevelName, type Primitives } from '@sworn/verify'

export interface ForeignPrimitives extends Primitives {
  /** True when `signature` (r and s, 64 bytes) is an ECDSA signature on P-256 over SHA-256; `publicKey` is x and y. */
  verifyEs256(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/** A key that whoever verifies trusts. */
export interface ForeignKey {
  readonly algorithm: 'Ed25519' | 'ES256'
  /** 32 bytes, or x and y, 64 bytes. */
  readonly publicKey: Uint8Array
  /** The name under which records refer to it; without one it stands for every name. */
  readonly id?: string
}

export interface ForeignOptions {
  readonly primitives: ForeignPrimitives
  readonly keys?: readonly ForeignKey[]
  /** A head assertion or checkpoint that came another way, as text. */
  readonly head?: string
  /** Documents that the log refers to and does not hold; each format says which it takes. */
  readonly inputs?: readonly Uint8Array[]
  /** NOA: agent id -> the keys that may sign for it. */
  readonly identities?: Readonly<Record<string, readonly string[]>>
}

/** finding class -> the claim it breaks. The names are stable. */
export const FOREIGN_FINDINGS = {
  malformed: 'bytes',
  incoherent: 'bytes',
  hash_mismatch: 'chain',
  link_mismatch: 'chain',
  seq_gap: 'chain',
  seq_repeat: 'chain',
  id_repeat: 'chain',
  splice: 'chain',
  proof_invalid: 'tree',
  signature_invalid: 'signed',
  signature_missing: 'signed',
  key_unknown: 'signed',
  key_unauthorized: 'signed',
  head_mismatch: 'complete',
  head_invalid: 'complete',
} as const satisfies Record<string, LevelName>

export type ForeignClass = keyof typeof FOREIGN_FINDINGS

export interface ForeignFinding {
  readonly class: ForeignClass
  /** Record where it shows, from 1; absent for what lies beside the records. */
  readonly record?: number
  /** Expected and found, never a value of the log. */
  readonly message: string
}

export interface ForeignClaim {
  readonly holds: boolean
  /** False when the format has no means for it. */
  readonly possible: boolean
  readonly detail: string
}

export interface ForeignReport {
  readonly format: string
  readonly records: number
  readonly claims: Readonly<Record<LevelName, ForeignClaim>>
  /** At most 1,000, in the order they were met. */
  readonly findings: readonly ForeignFinding[]
  readonly findingsOmitted: number
  /** What this format cannot prove, for people. */
  readonly cannot: readonly string[]
}

const MAX_FINDINGS = 1_000

export interface Tally {
  add(name: ForeignClass, record: number | undefined, message: string): void
  /** True when a finding breaks exactly this claim. */
  breaks(level: LevelName): boolean
  readonly list: readonly ForeignFinding[]
  omitted(): number
}

export function createTally(): Tally {
  const list: ForeignFinding[] = []
  const broken = new Set<LevelName>()
  let total = 0
  return {
    list,
    add(name, record, message) {
      total += 1
      broken.add(FOREIGN_FINDINGS[name])
      if (list.length < MAX_FINDINGS) list.push({ class: name, message, ...(record !== undefined && { record }) })
    },
    breaks: (level) => broken.has(level),
    omitted: () => total - list.length,
  }
}

/** What a recipe knows of a claim apart from findings; a missing one is not possible. */
export type Known = Partial<Record<LevelName, { readonly shown: boolean; readonly detail: string }>>

/** The report: a claim holds when it is shown and no finding breaks it or what it includes. */
export function toReport(format: string, records: number, tally: Tally, known: Known, cannot: readonly string[]): ForeignReport {
  const claimOf = (level: LevelName): ForeignClaim => {
    const mine = known[level]
    if (!mine) return { holds: false, possible: false, detail: 'this format has no means for it' }
    const broken = BROKEN_BY[level].some(tally.breaks)
    const first = broken && findBreak(tally.list, level)
    const detail = first ? `${first.class}${first.record === undefined ? '' : ` at record ${first.record}`}` : mine.detail
    return { holds: mine.shown && records > 0 && !broken, possible: true, detail: records > 0 ? detail : 'there is no record' }
  }
  const claims = Object.fromEntries(LEVELS.map((level) => [level, claimOf(level)])) as Record<LevelName, ForeignClaim> // every level
  return { format, records, claims, findings: tally.list, findingsOmitted: tally.omitted(), cannot }
}

/** The first finding that breaks the claim or what it includes. */
export function findBreak(findings: readonly ForeignFinding[], level: LevelName): ForeignFinding | undefined {
  return findings.find((finding) => BROKEN_BY[level].includes(FOREIGN_FINDINGS[finding.class]))
}
