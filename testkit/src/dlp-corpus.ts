/** The labelled texts of `vectors/dlp`, and how a scanner does on them, pattern by pattern. @module */
import { readFileSync } from 'node:fs'
import type { Scanner } from '@sworn/recorder'

export interface Labelled {
  readonly text: string
  /** What is to be found, each with the pattern that finds it. */
  readonly secrets: readonly { readonly pattern: string; readonly value: string }[]
  readonly why: string
}

/** Lines about one pattern. */
export interface Score {
  readonly pattern: string
  /** Labelled and found. */
  readonly found: number
  /** Labelled and not found. */
  readonly missed: number
  /** Found by this pattern where nothing labelled lies. */
  readonly wrong: number
}

export function readCorpus(): readonly Labelled[] {
  const text = readFileSync(new URL('../../vectors/dlp/corpus.jsonl', import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line): Labelled => JSON.parse(line))
}

/** @param names in the order of the answer */
export function scoreCorpus(corpus: readonly Labelled[], scanner: Scanner, names: readonly string[]): readonly Score[] {
  const tally = new Map(names.map((name) => [name, { found: 0, missed: 0, wrong: 0 }]))
  for (const line of corpus) {
    const spans = scanner.mayMatch(line.text) ? scanner.find(line.text) : []
    const at = line.secrets.map(({ value }) => ({ start: line.text.indexOf(value), end: line.text.indexOf(value) + value.length }))
    for (const [index, { pattern }] of line.secrets.entries()) {
      const { start, end } = at[index]!
      const hit = spans.some((span) => span.pattern === pattern && span.start <= start && span.end >= end)
      tally.get(pattern)![hit ? 'found' : 'missed']++
    }
    const strays = spans.filter((span) => !at.some(({ start, end }) => span.start < end && span.end > start))
    for (const pattern of new Set(strays.map((span) => span.pattern))) tally.get(pattern)!.wrong++
  }
  return Array.from(tally, ([pattern, counts]) => ({ pattern, ...counts }))
}

/** Precision and recall in per cent, or `-` where there is nothing to divide by. */
export function rates({ found, missed, wrong }: Score): { readonly precision: string; readonly recall: string } {
  const share = (part: number, whole: number): string => (whole === 0 ? '-' : ((100 * part) / whole).toFixed(1))
  return { precision: share(found, found + wrong), recall: share(found, found + missed) }
}
