/**
 * What a bench row says: ours beside a rival's, as a ratio.
 *
 * A ratio is always ours / rival. Both were measured in one run, on the same bytes, in turns, so that a
 * machine that slows down slows both. The ratio is the median of the rounds' ratios and the spread their
 * least and greatest; never a quotient of medians from different minutes.
 * @module
 */

/** Where the target of docs/benchmarks.md lies. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number }

export interface Measurement {
  /** What was measured, with its unit: `call time, µs`. */
  readonly what: string
  /** The rival's name with what it was given to do. */
  readonly against: string
  /** Median over the rounds, in the unit of `what`. */
  readonly ours: number
  readonly rival: number
  /** ours / rival: median of the rounds' ratios. */
  readonly ratio: number
  /** Least and greatest ratio of a round. */
  readonly spread: readonly [number, number]
  readonly bound: Bound
  /** What a reader must know to read the number; empty when nothing. */
  readonly note: string
}

export interface Row {
  /** Its number in the table of targets. */
  readonly row: number
  /** May be asked for instead of the number. */
  readonly name?: string
  readonly job: string
  readonly against: string
  readonly target: string
  /** A server on 127.0.0.1 without which it cannot be measured. */
  readonly needs?: { readonly name: string; readonly port: number }
  /** Set where the row can be run over another number of entries than its own. */
  readonly sizes?: true
  /** Measures. `quick`: counts so small that the row runs in a second; its figures mean nothing. `entries`: that many. */
  run(quick: boolean, entries?: number): Promise<readonly Measurement[]>
  /** Printed below the row, where it is asked for. */
  appendix?(): string
}

export interface Rounds {
  readonly what: string
  readonly against: string
  /** One figure a round, in the order of the rounds; as many as `rival`. */
  readonly ours: readonly number[]
  readonly rival: readonly number[]
  readonly bound: Bound
  readonly note?: string
}

/** Rounds of both sides, paired, as one measurement. */
export function compare({ what, against, ours, rival, bound, note = '' }: Rounds): Measurement {
  const ratios = ours.map((figure, round) => figure / rival[round]!)
  const spread = [Math.min(...ratios), Math.max(...ratios)] as const
  return { what, against, ours: median(ours), rival: median(rival), ratio: median(ratios), spread, bound, note }
}

/** True when the ratio is on the right side of its target. */
export function isMet({ ratio, bound }: Measurement): boolean {
  return 'atMost' in bound ? ratio <= bound.atMost : ratio >= bound.atLeast
}

/** The middle figure, or the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  return (quantile(figures, 0.5) + quantile(figures, 0.5, Math.floor)) / 2
}

/** The figure below which `share` of them lie, rounded up to one of them. */
export function quantile(figures: readonly number[], share: number, round: (rank: number) => number = Math.ceil): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[round((sorted.length - 1) * share)] ?? Number.NaN
}
