/**
 * The literal prefilter: which of many short texts may occur in this one?
 *
 * Of each literal the three characters that are rarest in JSON text are looked for. Any three characters in a row
 * contain one pair that begins at an even place, so every second pair is looked up in one table: independent
 * look-ups that a processor overlaps, where Aho-Corasick must wait for each state. What passes is compared by its
 * three characters, then in full. Runs of digits are met at every twelfth place. Work per character is bounded by
 * the longest bucket, so hostile text costs a constant factor, never a power.
 * @module
 */
import { CLASSES, CLOSES, type Literal, OPENS, type Placed, type Tables, tablesOf } from './literal-tables.ts'

export type { Literal } from './literal-tables.ts'

/** Calls `hit` for each confirmed literal until it returns true; looks no more for the owners in `seen`. */
export type LiteralScan = (text: string, hit: (owner: string) => boolean, seen?: ReadonlySet<string>) => boolean

const CHUNK = 65_536
/** Of each chunk, what the next one sees again: a window or a run of digits may lie across. */
const OVERLAP = 32
const RUN = 13
const RUN_STEP = RUN - 1
const NOBODY: ReadonlySet<string> = new Set()

export function createLiteralScan(literals: readonly Literal[]): LiteralScan {
  const tables = tablesOf(literals)
  const words = new Uint16Array(CHUNK / 2 + 8)
  const bytes = new Uint8Array(words.buffer)
  const writer = Buffer.from(words.buffer, 2, CHUNK) // bytes are read faster than characters; zeros before and after
  return (text, hit, seen = NOBODY) => {
    for (let base = 0; ; base += CHUNK - OVERLAP) {
      const length = writer.write(base === 0 && text.length <= CHUNK ? text : text.slice(base, base + CHUNK), 0, 'latin1')
      for (let i = length + 2; i < length + 16; i++) bytes[i] = 0
      const shift = base - 2
      const look = (bucket: number, window: number) => anyOccurs(tables.buckets[bucket]!, text, shift + window, hit, seen)
      if (scanPairs(tables, words, bytes, length, look)) return true
      if (tables.runs.length > 0 && scanRuns(bytes, length, (from, to) => anyRun(tables.runs, text, shift + from, shift + to, hit, seen)))
        return true
      if (base + CHUNK >= text.length) return false
    }
  }
}

/** Four pairs at a time: most of four are none of ours. */
function scanPairs(
  tables: Tables,
  words: Uint16Array,
  bytes: Uint8Array,
  length: number,
  look: (bucket: number, window: number) => boolean,
): boolean {
  const { pairs } = tables
  const last = (length + 3) >> 1
  for (let w = 1; w <= last; w += 4) {
    const one = pairs[words[w]! & 0x7f7f]!
    const two = pairs[words[w + 1]! & 0x7f7f]!
    const three = pairs[words[w + 2]! & 0x7f7f]!
    const four = pairs[words[w + 3]! & 0x7f7f]!
    if ((one | two | three | four) === 0) continue
    if (one !== 0 && tryPair(tables, bytes, w << 1, one, look)) return true
    if (two !== 0 && tryPair(tables, bytes, (w << 1) + 2, two, look)) return true
    if (three !== 0 && tryPair(tables, bytes, (w << 1) + 4, three, look)) return true
    if (four !== 0 && tryPair(tables, bytes, (w << 1) + 6, four, look)) return true
  }
  return false
}

/** The windows that begin with the pair at `i`, or end with it. */
function tryPair(
  { bucketOf }: Tables,
  bytes: Uint8Array,
  i: number,
  found: number,
  look: (bucket: number, window: number) => boolean,
): boolean {
  const pair = (CLASSES[bytes[i]! & 127]! << 5) | CLASSES[bytes[i + 1]! & 127]!
  const opens = (found & OPENS) === 0 ? 0 : bucketOf[(pair << 5) | CLASSES[bytes[i + 2]! & 127]!]!
  if (opens !== 0 && look(opens, i)) return true
  const closes = (found & CLOSES) === 0 ? 0 : bucketOf[(CLASSES[bytes[i - 1]! & 127]! << 10) | pair]!
  return closes !== 0 && look(closes, i - 1)
}

/** A run of 13 digits has one at every twelfth place that it covers. Each run is read once. */
function scanRuns(bytes: Uint8Array, length: number, found: (from: number, to: number) => boolean): boolean {
  for (let i = RUN_STEP + 1; i < length + 2; i += RUN_STEP) {
    if (!isDigit(bytes[i]!)) continue
    let start = i
    let end = i + 1
    while (isDigit(bytes[start - 1]!)) start--
    while (isDigit(bytes[end]!)) end++
    if (end - start >= RUN && found(start, end)) return true
    i = Math.max(i, end - RUN_STEP)
  }
  return false
}

const isDigit = (code: number) => code >= 48 && code <= 57

function anyOccurs(
  bucket: readonly Placed[],
  text: string,
  window: number,
  hit: (owner: string) => boolean,
  seen: ReadonlySet<string>,
): boolean {
  for (const literal of bucket) {
    if (!seen.has(literal.owner) && occurs(literal, text, window - literal.offset) && hit(literal.owner)) return true
  }
  return false
}

function anyRun(
  runs: readonly Literal[],
  text: string,
  from: number,
  to: number,
  hit: (owner: string) => boolean,
  seen: ReadonlySet<string>,
): boolean {
  return runs.some(({ owner, near }) => !seen.has(owner) && (near?.(text, from, to) ?? true) && hit(owner))
}

function occurs(literal: Literal, text: string, start: number): boolean {
  const { near, digits, anyCase } = literal
  const same = digits ? digitsMatch(literal.text, text, start) : equals(literal.text, text, start, anyCase ? 32 : 0)
  return same && (near === undefined || near(text, start, start + literal.text.length))
}

function digitsMatch(literal: string, text: string, start: number): boolean {
  for (let i = 0; i < literal.length; i++) {
    const code = text.charCodeAt(start + i)
    if (literal[i] === '#' ? !isDigit(code) : literal.charCodeAt(i) !== code) return false
  }
  return true
}

/** @param fold 32 takes ASCII letters of both cases as equal */
function equals(literal: string, text: string, start: number, fold: 0 | 32): boolean {
  for (let i = 0; i < literal.length; i++) {
    if ((literal.charCodeAt(i) | fold) !== (text.charCodeAt(start + i) | fold)) return false
  }
  return true
}
