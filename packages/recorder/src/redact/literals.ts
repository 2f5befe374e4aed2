/**
 * The literal prefilter: which of many short texts may occur in this one?
 *
 * A shift table over pairs of characters (Wu and Manber 1994) instead of Aho-Corasick: it steps two characters
 * at a time over text in which nothing occurs, which is nearly all of it. Work per character is bounded by the
 * table (the longest bucket), so hostile text costs a constant factor, never a power.
 * @module
 */

/** One text to look for, at least 3 ASCII characters. */
export interface Literal {
  readonly text: string
  /** Case matters unless set. */
  readonly anyCase?: boolean
  /** `###` stands for three digits; `near` sees to the rest. */
  readonly digits?: boolean
  /** Who asked for it. */
  readonly owner: string
  /** A second look at a hit; reads a bounded stretch around it. */
  readonly near?: (text: string, start: number, end: number) => boolean
}

/** Calls `hit` for each confirmed literal until it returns true; looks no more for the owners in `seen`. */
export type LiteralScan = (text: string, hit: (owner: string) => boolean, seen?: ReadonlySet<string>) => boolean

const WINDOW = 3
const PAIRS = 65_536
const NOBODY: ReadonlySet<string> = new Set()

export function createLiteralScan(literals: readonly Literal[]): LiteralScan {
  const shift = new Uint8Array(PAIRS).fill(2)
  const buckets = new Map<number, Literal[]>()
  for (const literal of literals) enter(literal, shift, buckets)
  return (text, hit, seen = NOBODY) => {
    for (let i = WINDOW - 1; i < text.length; ) {
      const pair = ((text.charCodeAt(i - 1) & 255) << 8) | (text.charCodeAt(i) & 255)
      const step = shift[pair]!
      if (step !== 0) {
        i += step
        continue
      }
      if (anyOccurs(buckets.get(pair)!, text, i - 2, hit, seen)) return true
      i++
    }
    return false
  }
}

function anyOccurs(
  bucket: readonly Literal[],
  text: string,
  start: number,
  hit: (owner: string) => boolean,
  seen: ReadonlySet<string>,
): boolean {
  const first = text.charCodeAt(start) | 32
  for (let i = 0; i < bucket.length; i++) {
    const literal = bucket[i]!
    if (!literal.digits && (literal.text.charCodeAt(0) | 32) !== first) continue
    if (seen.has(literal.owner)) continue
    if (occurs(literal, text, start) && hit(literal.owner)) return true
  }
  return false
}

function enter(literal: Literal, shift: Uint8Array, buckets: Map<number, Literal[]>): void {
  if (literal.text.length < WINDOW) throw new RangeError('a literal has at least 3 characters')
  const [a, b, c] = [...literal.text.slice(0, WINDOW)].map((char) => casesOf(char, literal))
  for (const pair of pairsOf(a!, b!)) if (shift[pair]! > 1) shift[pair] = 1
  for (const pair of pairsOf(b!, c!)) {
    shift[pair] = 0
    buckets.set(pair, [...(buckets.get(pair) ?? []), literal])
  }
}

function casesOf(char: string, { anyCase, digits }: Literal): readonly number[] {
  if (digits) return Array.from({ length: 10 }, (_, digit) => 48 + digit)
  const cases = anyCase ? new Set([char.toLowerCase(), char.toUpperCase()]) : [char]
  return [...cases].map((one) => one.charCodeAt(0))
}

function pairsOf(first: readonly number[], second: readonly number[]): readonly number[] {
  return first.flatMap((a) => second.map((b) => (a << 8) | b))
}

function occurs({ text: literal, anyCase, digits, near }: Literal, text: string, start: number): boolean {
  if (!digits && !equals(literal, text, start, anyCase ? 32 : 0)) return false
  return near === undefined || near(text, start, start + literal.length)
}

/** @param fold 32 takes ASCII letters of both cases as equal */
function equals(literal: string, text: string, start: number, fold: 0 | 32): boolean {
  for (let i = 0; i < literal.length; i++) {
    if ((literal.charCodeAt(i) | fold) !== (text.charCodeAt(start + i) | fold)) return false
  }
  return true
}
