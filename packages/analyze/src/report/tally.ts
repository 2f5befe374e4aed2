/**
 * Counts by name, in bounded memory: the first names that are met are counted, later ones together.
 * @module
 */
import { cutText } from './part.ts'

/** Names that are told apart. */
export const MAX_NAMES = 10_000
/** Names that a report lists. */
export const MAX_LISTED = 100

export interface Tallied {
  /** Most first, then by name; at most MAX_LISTED. */
  readonly names: readonly { readonly name: string; readonly count: number }[]
  /** Names that were told apart. */
  readonly distinct: number
  /** Of names that are not listed. */
  readonly others: number
  /** Of what has no name. */
  readonly without: number
  /** More names than MAX_NAMES were met: `distinct` is the least, and a late name is among the others whatever its count. */
  readonly overflow: boolean
}

export interface Tally {
  add(name: string | undefined, by?: number): void
  done(): Tallied
}

export function createTally(): Tally {
  const counts = new Map<string, number>()
  let late = 0
  let overflow = false
  let without = 0
  return {
    add(given, by = 1) {
      const name = cutText(given)
      const known = name === undefined ? undefined : counts.get(name)
      if (name === undefined) without += by
      else if (known !== undefined || counts.size < MAX_NAMES) counts.set(name, (known ?? 0) + by)
      else {
        overflow = true
        late += by
      }
    },
    done() {
      const all = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      const listed = all.slice(0, MAX_LISTED).map(([name, count]) => ({ name, count }))
      const rest = all.slice(MAX_LISTED).reduce((sum, [, count]) => sum + count, late)
      return { names: listed, distinct: counts.size, others: rest, without, overflow }
    },
  }
}
