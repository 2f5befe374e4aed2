/**
 * A framework's controls held against the entries of a ledger: counts, places, samples with proofs, and what is missing.
 *
 * Samples are the entries with the smallest tickets, SHA-256(root | seq as u64be): the root fixes them after the last
 * entry was written, so neither who records nor who reports can choose, and anybody can draw them again.
 * @module
 */
import { compileFilter, type EventFilter } from '@sworn/dialects/filter'
import { toBase64, toHex } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Entry } from '../reading/entry.ts'
import type { LineCheck } from '../verified.ts'
import type { Control, EvidenceRule, Framework } from './framework.ts'
import type { Integrity } from './integrity.ts'
import { cutText } from './part.ts'

export const SAMPLES = 5

export interface Sample {
  readonly seq: number
  readonly timestamp: string | null
  readonly event_type: string | null
  readonly entry_hash: string
  /** Siblings from the leaf to the root, base64; null: behind the checkpoint, or there is none by a known key. */
  readonly proof: readonly string[] | null
}

export interface FoundEvidence extends EvidenceRule {
  readonly count: number
  readonly first_seq: number | null
  readonly last_seq: number | null
  readonly samples: readonly Sample[]
}

export interface ControlEvidence extends Omit<Control, 'evidence' | 'against' | 'claims' | 'keptDays'> {
  readonly evidence: readonly FoundEvidence[]
  readonly against: readonly FoundEvidence[]
  /** In words: what the ledger does not show of what it could. */
  readonly missing: readonly string[]
}

export interface FrameworkEvidence extends Omit<Framework, 'controls'> {
  readonly controls: readonly ControlEvidence[]
  readonly sampling: {
    /** Root that the tickets are made with, 64 hex characters; null: nothing was sampled. */
    readonly seed: string | null
    /** Entries below this seq were drawn from. */
    readonly below: number
    readonly per_evidence: number
    /** The signed note that the proofs lead to. */
    readonly checkpoint: string | null
  }
}

/** What samples are drawn with. */
export interface Sampling {
  readonly root: Uint8Array
  /** Entries below. */
  readonly size: number
  /** Proofs, where there is a checkpoint by a known key; its size and root are those above. */
  readonly check?: LineCheck
}

export interface EvidenceBuilder {
  add(entry: Entry, line: Buffer): void
  /** @param about.keptDays age of the ledger's oldest entry */
  done(about: { readonly integrity: Integrity | null; readonly keptDays: number }): FrameworkEvidence
}

interface Ticketed {
  readonly ticket: string
  readonly sample: Sample
}

interface Rule {
  readonly rule: EvidenceRule
  readonly matches: EventFilter
  count: number
  first: number | null
  last: number | null
  drawn: Ticketed[]
}

/** @throws SwornError FILTER_INVALID for a rule that is no filter */
export function createEvidence(framework: Framework, sampling: Sampling | undefined): EvidenceBuilder {
  const controls = framework.controls.map((control) => ({
    control,
    evidence: control.evidence.map(createRule),
    against: (control.against ?? []).map(createRule),
  }))
  const byType = groupByType(controls.flatMap(({ evidence, against }) => [...evidence, ...against]))
  const draw = createDraw(sampling)
  return {
    add(entry, line) {
      const found = (typeof entry.event_type === 'string' && byType.get(entry.event_type)) || []
      const matching = found.filter(({ matches }) => matches(entry))
      for (const rule of matching) count(rule, entry.seq)
      if (matching.length > 0) draw(matching, entry, line)
    },
    done: ({ integrity, keptDays: days }) => ({
      ...framework,
      controls: controls.map(({ control, evidence, against }) => {
        const { claims, keptDays, ...about } = control
        const found = { evidence: evidence.map(toFound), against: against.map(toFound) }
        return { ...about, ...found, missing: findMissing(control, found, integrity, days) }
      }),
      sampling: {
        seed: sampling ? toHex(sampling.root) : null,
        below: sampling?.size ?? 0,
        per_evidence: SAMPLES,
        checkpoint: sampling?.check?.note ?? null,
      },
    }),
  }
}

function createRule(rule: EvidenceRule): Rule {
  return { rule, matches: rule.where === undefined ? () => true : compileFilter(rule.where), count: 0, first: null, last: null, drawn: [] }
}

function groupByType(rules: readonly Rule[]): ReadonlyMap<string, readonly Rule[]> {
  const byType = new Map<string, Rule[]>()
  for (const one of rules) for (const type of one.rule.types) byType.set(type, [...(byType.get(type) ?? []), one])
  return byType
}

function count(rule: Rule, seq: number): void {
  rule.count++
  rule.first ??= seq
  rule.last = seq
}

/** Keeps the SAMPLES smallest tickets of each rule; a proof is made when an entry is drawn. */
function createDraw(sampling: Sampling | undefined): (rules: readonly Rule[], entry: Entry, line: Buffer) => void {
  if (!sampling) return () => {}
  const { root, size, check } = sampling
  const input = Buffer.concat([root, Buffer.alloc(8)])
  return (rules, entry, line) => {
    if (entry.seq >= size || entry.seq < 0) return
    input.writeBigUInt64BE(BigInt(entry.seq), root.length)
    const ticket = toHex(nodePrimitives.hash('sha256', input))
    const drawing = rules.filter(({ drawn }) => drawn.length < SAMPLES || ticket < drawn.at(-1)!.ticket)
    if (drawing.length === 0) return
    const ticketed = { ticket, sample: toSample(entry, check?.prove(line)?.path ?? null) }
    for (const rule of drawing) {
      rule.drawn.push(ticketed)
      rule.drawn.sort((a, b) => (a.ticket < b.ticket ? -1 : 1))
      if (rule.drawn.length > SAMPLES) rule.drawn.pop()
    }
  }
}

function toSample(entry: Entry, path: readonly Uint8Array[] | null): Sample {
  return {
    seq: entry.seq,
    timestamp: cutText(entry.timestamp) ?? null,
    event_type: cutText(entry.event_type) ?? null,
    entry_hash: cutText(entry.entry_hash) ?? '',
    proof: path?.map((hash) => toBase64(hash)) ?? null,
  }
}

function toFound({ rule, count: entries, first, last, drawn }: Rule): FoundEvidence {
  const samples = drawn.map(({ sample }) => sample).toSorted((a, b) => a.seq - b.seq)
  return { ...rule, count: entries, first_seq: first, last_seq: last, samples }
}

function findMissing(
  { claims = [], keptDays }: Control,
  { evidence, against }: Pick<ControlEvidence, 'evidence' | 'against'>,
  integrity: Integrity | null,
  days: number,
): string[] {
  const none = evidence.filter((one) => one.count === 0).map(({ shows }) => `no entry in this period shows ${shows}`)
  const contrary = against
    .filter((one) => one.count > 0)
    .map(({ shows, count: entries }) => `${entries === 1 ? '1 entry says' : `${entries} entries say`}: ${shows}`)
  const broken = claims.flatMap((claim) => {
    if (!integrity) return [`whether the claim "${claim}" holds was not checked`]
    const { holds, detail } = integrity.claims.find((one) => one.claim === claim)!
    return holds ? [] : [`the claim "${claim}" does not hold: ${detail}`]
  })
  const young =
    keptDays !== undefined && days < keptDays ? [`entries are asked for over ${keptDays} days; the oldest here is ${days} days old`] : []
  return [...none, ...contrary, ...broken, ...young]
}
