/**
 * The literal prefilter: which of many short texts may occur in this one?
 *
 * Any three characters in a row contain one pair that begins at an even place. So every second pair is looked up
 * in a table of the pairs with which literals begin or go on: independent look-ups that a processor overlaps, where
 * Aho-Corasick must wait for each state. What passes is compared by its first three characters, then in full. Work
 * per character is bounded by the longest bucket, so hostile text costs a constant factor, never a power.
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
const CHUNK = 65_536
const NOBODY: ReadonlySet<string> = new Set()
const DIGIT = 27
/** Character code, low 8 bits -> class: letters of both cases 1–26, digits 27, some signs, all else 0. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, code) => classOf(String.fromCharCode(code)))

function classOf(char: string): number {
  if (/[a-z]/i.test(char)) return char.toLowerCase().charCodeAt(0) - 96
  if (/\d/.test(char)) return DIGIT
  return '-_./:'.includes(char) ? Math.min(31, 28 + '-_./:'.indexOf(char)) : 0
}

interface Tables {
  /** Two characters, 7 bits each -> 1 when a literal begins or goes on so. */
  readonly pairs: Uint8Array
  /** Three classes -> a bucket, or 0. */
  readonly bucketOf: Uint8Array
  readonly buckets: Literal[][]
}

export function createLiteralScan(literals: readonly Literal[]): LiteralScan {
  const tables = tablesOf(literals)
  const scratch = new Uint8Array(CHUNK + 4)
  const writer = Buffer.from(scratch.buffer, 2, CHUNK) // bytes are read faster than characters; two zeros before and after
  return (text, hit, seen = NOBODY) => {
    const look = (bucket: number, start: number) => anyOccurs(tables.buckets[bucket]!, text, start, hit, seen)
    for (let base = 0; base < text.length; base += CHUNK - WINDOW + 1) {
      const length = writer.write(text.length <= CHUNK ? text : text.slice(base, base + CHUNK), 0, 'latin1')
      scratch.fill(0, length + 2, length + 4)
      if (scanBytes(tables, scratch, length, base - 2, look)) return true
    }
    return false
  }
}

function scanBytes(
  { pairs, bucketOf }: Tables,
  bytes: Uint8Array,
  length: number,
  base: number,
  look: (bucket: number, start: number) => boolean,
): boolean {
  for (let i = 2; i < length + 2; i += 2) {
    const one = bytes[i]!
    const two = bytes[i + 1]!
    if (pairs[((one & 127) << 7) | (two & 127)] === 0) continue
    const pair = (CLASSES[one]! << 5) | CLASSES[two]!
    const from = bucketOf[(pair << 5) | CLASSES[bytes[i + 2]!]!]!
    if (from !== 0 && look(from, base + i)) return true
    const before = bucketOf[(CLASSES[bytes[i - 1]!]! << 10) | pair]!
    if (before !== 0 && look(before, base + i - 1)) return true
  }
  return false
}

function tablesOf(literals: readonly Literal[]): Tables {
  const tables: Tables = { pairs: new Uint8Array(16_384), bucketOf: new Uint8Array(32_768), buckets: [[]] }
  for (const literal of literals) enter(literal, tables)
  if (tables.buckets.length > 256) throw new RangeError('at most 255 different beginnings')
  return tables
}

function enter(literal: Literal, { pairs, bucketOf, buckets }: Tables): void {
  if (literal.text.length < WINDOW) throw new RangeError('a literal has at least 3 characters')
  const [a, b, c] = [0, 1, 2].map((i) => casesOf(literal, i)) as [number[], number[], number[]] // three in, three out
  for (const first of a) for (const second of b) pairs[(first << 7) | second] = 1
  for (const first of b) for (const second of c) pairs[(first << 7) | second] = 1
  const triple = (CLASSES[a[0]!]! << 10) | (CLASSES[b[0]!]! << 5) | CLASSES[c[0]!]!
  if (bucketOf[triple] === 0) bucketOf[triple] = buckets.push([]) - 1
  buckets[bucketOf[triple]!]!.push(literal)
}

/** The codes that may stand at place `i`. */
function casesOf({ text, anyCase, digits }: Literal, i: number): number[] {
  if (digits) return Array.from({ length: 10 }, (_, digit) => 48 + digit)
  const char = text[i] ?? ''
  return [...new Set(anyCase ? [char.toLowerCase(), char.toUpperCase()] : [char])].map((one) => one.charCodeAt(0) & 127)
}

function anyOccurs(
  bucket: readonly Literal[],
  text: string,
  start: number,
  hit: (owner: string) => boolean,
  seen: ReadonlySet<string>,
): boolean {
  for (const literal of bucket) {
    if (!seen.has(literal.owner) && occurs(literal, text, start) && hit(literal.owner)) return true
  }
  return false
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
