/**
 * Which lines of a piece match a filter, and which are no entries.
 * @module
 */
import { type Entry, parseEntry } from '../reading/entry.ts'
import { createCandidates } from './candidates.ts'
import { createPredicate, type Filter } from './filter.ts'
import type { Piece } from './pieces.ts'

export interface Match {
  /** Offsets `[start, end)` in the piece, without LF. */
  readonly start: number
  readonly end: number
  readonly entry: Entry
}

export interface Matches {
  /** Of the whole piece. */
  readonly lines: number
  /** Whole lines that are no entries: how many stand before each. All of them once `found` was run through. */
  readonly unreadable: readonly number[]
  /** Ascending, to be run through once; parsed as they are asked for, because a piece of entries is many times its bytes. */
  readonly found: Iterable<Match>
}

export function createMatcher(filter: Filter): (piece: Piece) => Matches {
  const holds = createPredicate(filter)
  const candidates = createCandidates(filter)
  return ({ bytes, complete }) => {
    const { lines, places } = candidates(bytes)
    const unreadable: number[] = []
    function* found(): Generator<Match> {
      const lineAt = createLineCount(bytes)
      for (const [start, end] of places) {
        const entry = parseEntry({ bytes: bytes.subarray(start, end) })
        if (entry && holds(entry)) yield { start, end, entry }
        else if (!entry && complete) unreadable.push(lineAt(start))
      }
    }
    return { lines, unreadable, found: found() }
  }
}

/** Lines before an offset, asked with ascending ones. */
function createLineCount(bytes: Buffer): (offset: number) => number {
  let count = 0
  let next = bytes.indexOf(10)
  return (offset) => {
    for (; next >= 0 && next < offset; next = bytes.indexOf(10, next + 1)) count++
    return count
  }
}
