/**
 * Blanks: an empty event for each set of members, in output order.
 *
 * An object whose members are there already, in one layout, is filled and printed several times faster than
 * one that grows member by member. Each call of `createBlanks` keeps at most 1,024.
 * @module
 */
import { MEMBER_RANKS } from './members.ts'

/** rank -> name */
export const NAMES: readonly string[] = [...MEMBER_RANKS.keys()]
/** Ranks whose bit stands in `low`; the others stand in `high`. */
const HALF = 32
const MAX_BLANKS = 1024

export interface Blank {
  readonly members: Readonly<Record<string, unknown>>
  readonly ranks: readonly number[]
}

/** At most 1,024 blanks; beyond, all begin anew. */
export function createBlanks(): (low: number, high: number) => Blank {
  let known = new Map<number, Map<number, Blank>>()
  let count = 0
  return (low, high) => {
    const found = known.get(low)?.get(high)
    if (found) return found
    if (++count > MAX_BLANKS) {
      known = new Map()
      count = 1
    }
    const blank = blankFor(low, high)
    known.set(low, (known.get(low) ?? new Map<number, Blank>()).set(high, blank))
    return blank
  }
}

/** Parsed JSON has all its members in one layout from the start. */
export function blankFor(low: number, high: number): Blank {
  const ranks = NAMES.map((_, rank) => rank).filter((rank) => isSet(low, high, rank))
  return { members: JSON.parse(`{${ranks.map((rank) => `"${NAMES[rank]}":null`).join()}}`), ranks }
}

/** The member of `rank` is set. Bits: 32 a word. */
export function setRank(set: { low: number; high: number }, rank: number): void {
  if (rank < HALF) set.low |= 1 << rank
  else set.high |= 1 << (rank - HALF)
}

function isSet(low: number, high: number, rank: number): boolean {
  return ((rank < HALF ? low >> rank : high >> (rank - HALF)) & 1) === 1
}
