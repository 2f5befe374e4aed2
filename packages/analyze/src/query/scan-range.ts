/**
 * Looks through one range of a file that is held open, on whichever thread.
 * @module
 */
import type { Filter } from './filter.ts'
import { type Group, groupTexts, type Tally, tally } from './groups.ts'
import { createMatcher, type Match } from './matcher.ts'
import { createRoom, type PieceRange, piecesOf } from './pieces.ts'

export interface RangeTask {
  readonly fd: number
  readonly range: PieceRange
  /** Without `where`. */
  readonly filter: Filter
  /** Undefined: the lines are wanted. */
  readonly groups: readonly Group[] | undefined
}

export interface RangeAnswer {
  readonly lines: number
  /** Lines that are no entries: how many of the range stand before each. */
  readonly unreadable: readonly number[]
  /** By the groups that were asked for. */
  readonly counts: readonly Tally[]
  /** Of the matches, and their lines one behind the other, without LF. */
  readonly seqs: Float64Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** @returns looks through one range after the other; it throws the file system's error */
export function createLookThrough(): (task: RangeTask) => RangeAnswer {
  const room = createRoom()
  return ({ fd, range, filter, groups }) => {
    const match = createMatcher(filter, groups)
    const counts = new Map<string, Tally>()
    const unreadable: number[] = []
    const kept: Buffer[] = []
    const seqs: number[] = []
    let lines = 0
    for (const piece of piecesOf(fd, range, room)) {
      const matches = match(piece)
      if (groups) countMatches(matches.found, groups, counts)
      else
        for (const { start, end, entry } of matches.found) {
          seqs.push(entry.seq)
          kept.push(Buffer.from(piece.bytes.subarray(start, end)))
        }
      for (const line of matches.unreadable) unreadable.push(lines + line)
      lines += matches.lines
    }
    return {
      lines,
      unreadable,
      counts: [...counts.values()],
      seqs: Float64Array.from(seqs),
      lengths: Uint32Array.from(kept, ({ length }) => length),
      bytes: joined(kept),
    }
  }
}

/** @param counts of matches before these */
export function countMatches(matches: Iterable<Match>, groups: readonly Group[], counts = new Map<string, Tally>()): readonly Tally[] {
  for (const { entry } of matches) tally(counts, groupTexts(entry, groups))
  return [...counts.values()]
}

/** In a buffer of its own: it goes to another thread. */
function joined(parts: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
