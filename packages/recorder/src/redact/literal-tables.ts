/**
 * The tables of the literal prefilter: of each literal the three characters that are rarest in JSON text.
 * @module
 */

/** One text to look for, at least 3 ASCII characters. */
export interface Literal {
  readonly text: string
  /** Case matters unless set. */
  readonly anyCase?: boolean
  /** `#` in `text` stands for any digit; `near` sees to the rest. A text of `#` alone: a run of that many digits, 13 or more. */
  readonly digits?: boolean
  /** Who asked for it. */
  readonly owner: string
  /** A second look at a hit; reads a bounded stretch around it. */
  readonly near?: (text: string, start: number, end: number) => boolean
}

const WINDOW = 3
const DIGIT = 27
/** A window opens with this pair of characters, or closes with it. */
export const OPENS = 1
export const CLOSES = 2
/** Letters by how often JSON text of agents has them. */
const FREQUENT = 'etaoinsrlcdpmuhgbfywvkjxqz'
/** Character code, low 7 bits -> class: letters of both cases 1–26, digits 27, some signs, all else 0. */
export const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => classOf(String.fromCharCode(code)))

function classOf(char: string): number {
  if (/[a-z]/i.test(char)) return char.toLowerCase().charCodeAt(0) - 96
  if (/\d/.test(char)) return DIGIT
  return '-_./'.includes(char) ? 28 + '-_./'.indexOf(char) : 0
}

export interface Placed extends Literal {
  /** Where in `text` the three characters begin. */
  readonly offset: number
}

export interface Tables {
  /** Two characters as one number, 7 bits of each byte -> whether a window opens with them, closes with them, or both. */
  readonly pairs: Uint8Array
  /** Three classes -> a bucket, or 0. */
  readonly bucketOf: Uint8Array
  readonly buckets: Placed[][]
  /** Long runs of digits. */
  readonly runs: readonly Literal[]
}

export function tablesOf(literals: readonly Literal[]): Tables {
  const isRun = ({ text, digits }: Literal) => digits === true && /^#{13,}$/.test(text)
  const tables: Tables = {
    pairs: new Uint8Array(32_768),
    bucketOf: new Uint8Array(32_768),
    buckets: [[]],
    runs: literals.filter(isRun),
  }
  for (const literal of literals) if (!isRun(literal)) enter(literal, tables)
  if (tables.buckets.length > 256) throw new RangeError('at most 255 different beginnings')
  return tables
}

function enter(literal: Literal, { pairs, bucketOf, buckets }: Tables): void {
  if (literal.text.length < WINDOW) throw new RangeError('a literal has at least 3 characters')
  const offset = rarestWindow(literal)
  const [a, b, c] = [0, 1, 2].map((i) => casesOf(literal, offset + i)) as [number[], number[], number[]] // three in, three out
  for (const first of a) for (const second of b) pairs[pairNumber(first, second)]! |= OPENS
  for (const first of b) for (const second of c) pairs[pairNumber(first, second)]! |= CLOSES
  const triple = (CLASSES[a[0]!]! << 10) | (CLASSES[b[0]!]! << 5) | CLASSES[c[0]!]!
  if (bucketOf[triple] === 0) bucketOf[triple] = buckets.push([]) - 1
  buckets[bucketOf[triple]!]!.push({ ...literal, offset })
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Two neighbours as this machine reads them in one go. */
function pairNumber(first: number, second: number): number {
  return (IS_LITTLE_ENDIAN ? first | (second << 8) : (first << 8) | second) & 0x7f7f
}

/** By character code: every start makes the tables, for hundreds of literals. */
const WEIGHTS = Float64Array.from({ length: 128 }, (_, code) => weightOf(String.fromCharCode(code)))

function rarestWindow({ text }: Literal): number {
  const weights = Array.from(text, (char) => WEIGHTS[char.charCodeAt(0) & 127]!)
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  for (let at = 0; at + WINDOW <= weights.length; at++) {
    const cost = weights[at]! * weights[at + 1]! + weights[at + 1]! * weights[at + 2]!
    if (cost < least) [best, least] = [at, cost]
  }
  return best
}

function weightOf(char: string): number {
  const rank = FREQUENT.indexOf(char.toLowerCase())
  if (rank < 0) return char === ' ' ? 30 : 12
  return (30 - rank) / (char === char.toLowerCase() ? 1 : 3)
}

/** The codes that may stand at place `i`. */
function casesOf({ text, anyCase, digits }: Literal, i: number): number[] {
  const char = text[i] ?? ''
  if (digits && char === '#') return Array.from({ length: 10 }, (_, digit) => 48 + digit)
  return [...new Set(anyCase ? [char.toLowerCase(), char.toUpperCase()] : [char])].map((one) => one.charCodeAt(0) & 127)
}
