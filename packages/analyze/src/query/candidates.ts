/**
 * Which lines of many may match a filter, without cutting them all: most bytes of a scan are looked at here and nowhere else.
 *
 * A line may match when the literal that the filter asks for stands in it, or an escape that can spell it. Lines that are
 * no objects are named too, so that they are read and reported. Everything else is passed by.
 * @module
 */
import { isAt } from '../reading/entry.ts'
import { createPrefilter, type Filter, literalsOf } from './filter.ts'

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
  const [literal, ...others] = literalsOf(filter)
  if (literal === undefined) return allLines
  const needle = createNeedle(literal)
  const mayMatch = others.length > 0 ? createPrefilter(filter) : undefined
  return (piece) => {
    const { lines, odd } = walk(piece)
    const places: [number, number][] = []
    const nextLiteral = createNext((from) => needle(piece, from))
    const nextEscape = createNext((from) => piece.indexOf(ESCAPE, from))
    const nextOdd = createNextOf(odd)
    for (let at = 0; at < piece.length; ) {
      const hit = Math.min(nextLiteral(at), nextEscape(at), nextOdd(at))
      if (hit === Number.POSITIVE_INFINITY) break
      const start = hit === 0 ? 0 : piece.lastIndexOf(LF, hit - 1) + 1
      const end = endOf(piece, hit)
      if (!mayMatch || mayMatch(piece.subarray(start, end))) places.push([start, end])
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

/** The bytes of lines like ours, from the most frequent on; what is not among them is seldom. */
const FREQUENT = '"eatr oscdi:n,l201bf6345m789uhp_vgwy-./kx{}q'
/** A letter and the quote behind it: fewer would be found everywhere. */
const LEAST_BYTES = 2

/** Finds a literal by its part from the most seldom byte on, because the search stops at each occurrence of the first. */
function createNeedle(literal: string): (piece: Buffer, from: number) => number {
  const whole = Buffer.from(literal, 'latin1')
  let skip = 0
  for (let i = 1; i <= literal.length - LEAST_BYTES; i++) if (rarity(literal[i]!) > rarity(literal[skip]!)) skip = i
  const part = whole.subarray(skip)
  return (piece, from) => {
    for (let at = piece.indexOf(part, from + skip); at >= 0; at = piece.indexOf(part, at + 1)) {
      if (isAt(piece, at - skip, whole)) return at - skip
    }
    return -1
  }
}

function rarity(char: string): number {
  const place = FREQUENT.indexOf(char)
  return place < 0 ? FREQUENT.length : place
}
