/**
 * Which lines of a piece match a filter, and which are no entries.
 * @module
 */
import { type Entry, parseEntry } from '../reading/entry.ts'
import { createMemberReader } from '../reading/members.ts'
import { createCandidates } from './candidates.ts'
import { createPredicate, type Filter, membersAsked } from './filter.ts'
import type { Group } from './groups.ts'
import type { Piece } from './pieces.ts'

export interface Match {
  /** Offsets `[start, end)` in the piece, without LF. */
  readonly start: number
  readonly end: number
  /** Only `seq` and what the filter and the groups ask for is surely there. */
  readonly entry: Entry
}

export interface Matches {
  /** Of the whole piece. */
  readonly lines: number
  /** Whole lines that are no entries: how many stand before each. All of them once `found` was run through. */
  readonly unreadable: readonly number[]
  /** Ascending, to be run through once; read as they are asked for, because a piece of entries is many times its bytes. */
  readonly found: Iterable<Match>
}

/** @param groups what is asked of the matches */
export function createMatcher(filter: Filter, groups: readonly Group[] = []): (piece: Piece) => Matches {
  const holds = createPredicate(filter)
  const candidates = createCandidates(filter)
  const read = createReader(filter, groups)
  return ({ bytes, complete }) => {
    const { lines, places } = candidates(bytes)
    const unreadable: number[] = []
    function* found(): Generator<Match> {
      const lineAt = createLineCount(bytes)
      for (const [start, end] of places) {
        const entry = read(bytes, start, end)
        if (entry && holds(entry)) yield { start, end, entry }
        else if (!entry && complete) unreadable.push(lineAt(start))
      }
    }
    return { lines, unreadable, found: found() }
  }
}

function createReader(filter: Filter, groups: readonly Group[]): (bytes: Buffer, start: number, end: number) => Entry | undefined {
  const members = membersAsked(filter, groups)
  return members ? createMemberReader(members) : (bytes, start, end) => parseEntry({ bytes: bytes.subarray(start, end) })
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
