/**
 * Which lines of many may match a filter, without cutting them all: most bytes of a scan are looked at here and nowhere else.
 *
 * A line may match when the literal that the filter asks for stands in it, or an escape that can spell it. Lines that are
 * no objects are named too, so that they are read and reported. Everything else is passed by.
 * @module
 */
import { createPrefilter, type Filter, literalOf } from './filter.ts'

/** Whole lines of one piece: how many, and where those begin and end that have to be read. */
export interface Candidates {
  readonly lines: number
  /** Offsets `[start, end)` without LF, ascending. */
  readonly places: readonly (readonly [start: number, end: number])[]
}

const LF = 10
const OPEN = 0x7b
const ESCAPE = Buffer.from('\\u')

/** @returns looks through lines, each with its LF but perhaps the last */
export function createCandidates(filter: Filter): (piece: Buffer) => Candidates {
  const literal = literalOf(filter)
  const mayMatch = createPrefilter(filter)
  if (literal === undefined) return allLines
  const needle = createNeedle(literal)
  return (piece) => {
    const { lines, odd } = walk(piece)
    const places: [number, number][] = []
    const next = [createNext((from) => needle(piece, from)), createNext((from) => piece.indexOf(ESCAPE, from)), createNextOf(odd)]
    for (let at = 0; at < piece.length; ) {
      const hit = Math.min(...next.map((find) => find(at)))
      if (hit === Number.POSITIVE_INFINITY) break
      const start = hit === 0 ? 0 : piece.lastIndexOf(LF, hit - 1) + 1
      const end = endOf(piece, hit)
      if (mayMatch(piece.subarray(start, end))) places.push([start, end])
      at = end + 1
    }
    return { lines, places }
  }
}

function allLines(piece: Buffer): Candidates {
  const places: [number, number][] = []
  for (let start = 0; start < piece.length; ) {
    const end = endOf(piece, start)
    places.push([start, end])
    start = end + 1
  }
  return { lines: places.length, places }
}

function endOf(piece: Buffer, from: number): number {
  const lf = piece.indexOf(LF, from)
  return lf < 0 ? piece.length : lf
}

/** Counts lines, and finds those that are no objects: where each begins. */
function walk(piece: Buffer): { readonly lines: number; readonly odd: readonly number[] } {
  const odd: number[] = []
  let lines = 0
  for (let start = 0; start < piece.length; start = endOf(piece, start) + 1) {
    lines++
    if (piece[start] !== OPEN) odd.push(start)
  }
  return { lines, odd }
}

/** The first hit from a place on, asked with ascending places; Infinity when there is none. */
function createNext(find: (from: number) => number): (from: number) => number {
  let known = -1
  return (from) => {
    if (known >= from) return known
    const found = find(from)
    return (known = found < 0 ? Number.POSITIVE_INFINITY : found)
  }
}

function createNextOf(places: readonly number[]): (from: number) => number {
  let i = 0
  return (from) => {
    while (i < places.length && places[i]! < from) i++
    return places[i] ?? Number.POSITIVE_INFINITY
  }
}

/** Bytes that stand seldom in a line of ours come late. */
const COMMON = '"0123456789abcdef,:tniorslu-'
const LEAST_BYTES = 3

/** Finds a literal by its part from the most seldom byte on, because the search stops at each occurrence of the first. */
function createNeedle(literal: string): (piece: Buffer, from: number) => number {
  const whole = Buffer.from(literal, 'latin1')
  let skip = 0
  for (let i = 1; i <= literal.length - LEAST_BYTES; i++) if (rarity(literal[i]!) > rarity(literal[skip]!)) skip = i
  const part = whole.subarray(skip)
  return (piece, from) => {
    for (let at = piece.indexOf(part, from + skip); at >= 0; at = piece.indexOf(part, at + 1)) {
      if (piece.compare(whole, 0, skip, at - skip, at) === 0) return at - skip
    }
    return -1
  }
}

function rarity(char: string): number {
  const place = COMMON.indexOf(char.toLowerCase())
  return place < 0 ? COMMON.length : place
}
