/**
 * What a kind of rule keeps of a count, and when it finds something.
 *
 * Own state is plain JSON that only its kind reads and changes: one event in, at most one proof out. Nothing here knows
 * the clock, other counts or how often is told.
 * @module
 */
import type { Entry } from '../reading/entry.ts'

/** One event that a rule looks at. */
export interface Hit {
  readonly entry: Entry
  readonly seq: number
  /** Milliseconds since 1970; not before the window that ends now. */
  readonly time: number
  /** The newest time that any event had. */
  readonly clock: number
}

/** What was found, and what proves it. */
export interface Proof {
  /** What was expected and what was found, in few words. */
  readonly text: string
  readonly value: number
  readonly expected: number
  /** The newest of them, ascending. */
  readonly evidence: readonly number[]
  readonly first: number
  readonly last: number
  readonly count: number
}

export interface Judge<Own> {
  begin(hit: Hit): Own
  take(own: Own, hit: Hit): Proof | undefined
  /** What the state costs; one cell is a few numbers or a short text. */
  cells(own: Own): number
}

/** A judge of any kind; `own` is what its `begin` returned, or that out of JSON. */
export type AnyJudge = Judge<unknown>

export function anyJudge<Own>({ begin, take, cells }: Judge<Own>): AnyJudge {
  return { begin, take: (own, hit) => take(own as Own, hit), cells: (own) => cells(own as Own) } // the engine hands back what `begin` gave
}

/** seqs that are named one by one; first, last and count tell of the others. */
const MAX_EVIDENCE = 20

export function keepEvidence(recent: number[], seq: number): void {
  recent.push(seq)
  if (recent.length > MAX_EVIDENCE) recent.shift()
}

/** The value at a dotted place of an entry; its own members only. */
export function valueAt(entry: Readonly<Record<string, unknown>>, place: readonly string[]): unknown {
  let value: unknown = entry
  for (const name of place) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name] // an own member
  }
  return value
}

export function numberAt(entry: Entry, place: readonly string[]): number | undefined {
  const value = valueAt(entry, place)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** At most four digits, for texts. */
export function round(value: number): number {
  return Number(value.toPrecision(4))
}
