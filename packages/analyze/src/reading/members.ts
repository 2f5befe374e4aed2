/**
 * Some members of a line, without a value for each of the others: what filters and counts ask of a line is little of it.
 *
 * Sure of compact JSON only, as the recorder writes it. Whatever else a line may be, `parseEntry` reads it: spaces between
 * values, an escape in a name, deep nesting, what is no JSON. So both say the same of every line; a property holds them together.
 * @module
 */
import { type Entry, isAt, MAX_LINE, parseEntry } from './entry.ts'

/** Deeper values are the parser's. */
const MAX_DEPTH = 64
/** No end: the line is for the parser. */
const UNSURE = -1

const [SPACE, QUOTE, COMMA, MINUS, POINT, ZERO, NINE, COLON] = [0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x3a]
const [OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN, CLOSE, SMALL_U] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x75]

/** What follows a backslash, but for `u`. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => Number('"\\/bfnrt'.includes(String.fromCharCode(byte))))
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => Number(/[0-9a-fA-F]/.test(String.fromCharCode(byte))))
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word))

/**
 * @param names of members, ASCII
 * @returns reads the line `bytes[start, end)`: the same as `parseEntry`, but that only `seq` and the members called so are surely there
 */
export function createMemberReader(names: readonly string[]): (bytes: Buffer, start: number, end: number) => Entry | undefined {
  const wanted = [...new Set(['seq', ...names])].map((name) => ({ name, bytes: Buffer.from(name) }))
  return (bytes, start, end) => {
    if (end - start >= MAX_LINE) return undefined
    const entry = readMembers(bytes, start, end, wanted)
    return entry && Number.isSafeInteger(entry.seq) ? entry : parseEntry({ bytes: bytes.subarray(start, end) })
  }
}

interface Wanted {
  readonly name: string
  readonly bytes: Buffer
}

/** Undefined: not sure. Of members with one name the last one counts, as for a parser. */
function readMembers(bytes: Buffer, start: number, end: number, wanted: readonly Wanted[]): Entry | undefined {
  const entry: Record<string, unknown> & { seq: number } = { seq: Number.NaN }
  if (bytes[start] !== OPEN) return undefined
  for (let at = start + 1; ; ) {
    const name = plainTextEnd(bytes, at)
    if (name === UNSURE || bytes[name] !== COLON) return undefined
    const to = valueEnd(bytes, name + 1, 1)
    if (to === UNSURE) return undefined
    const known = findWanted(bytes, at + 1, name - 1, wanted)
    if (known !== undefined) entry[known] = readValue(bytes, name + 1, to)
    at = to + 1
    if (bytes[to] !== COMMA) return bytes[to] === CLOSE && at === end ? entry : undefined
  }
}

function findWanted(bytes: Buffer, from: number, to: number, wanted: readonly Wanted[]): string | undefined {
  return wanted.find(({ bytes: own }) => own.length === to - from && isAt(bytes, from, own))?.name
}

/** Of a value that was gone through: it is JSON. */
function readValue(bytes: Buffer, from: number, to: number): unknown {
  const isPlain = plainTextEnd(bytes, from) === to
  return isPlain ? bytes.toString('utf8', from + 1, to - 1) : JSON.parse(bytes.toString('utf8', from, to))
}

/*
 * Each gives back where something ends that begins at `from`. A line ends where nothing can go on, so none asks for its end.
 */

/** A text without escapes. */
function plainTextEnd(bytes: Buffer, from: number): number {
  if (bytes[from] !== QUOTE) return UNSURE
  const at = plainEnd(bytes, from + 1)
  return bytes[at] === QUOTE ? at + 1 : UNSURE
}

/** What is neither quote, backslash nor control character: most bytes of a line are passed here. */
function plainEnd(bytes: Buffer, from: number): number {
  let at = from
  for (let byte = bytes[at]!; byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH; byte = bytes[at]!) at++
  return at
}

function valueEnd(bytes: Buffer, from: number, depth: number): number {
  const first = bytes[from]!
  if (first === QUOTE) return textEnd(bytes, from)
  if (first === OPEN) return depth < MAX_DEPTH ? membersEnd(bytes, from + 1, depth + 1) : UNSURE
  if (first === OPEN_LIST) return depth < MAX_DEPTH ? itemsEnd(bytes, from + 1, depth + 1) : UNSURE
  if (isDigit(first) || first === MINUS) return numberEnd(bytes, from)
  const word = WORDS.find((some) => isAt(bytes, from, some))
  return word ? from + word.length : UNSURE
}

function textEnd(bytes: Buffer, from: number): number {
  if (bytes[from] !== QUOTE) return UNSURE
  for (let at = from + 1; ; at++) {
    at = plainEnd(bytes, at)
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] !== BACKSLASH) return UNSURE
    at++
    if (ESCAPED[bytes[at]!] === 1) continue
    if (bytes[at] !== SMALL_U) return UNSURE
    for (const last = at + 4; at < last; ) if (HEX[bytes[++at]!] !== 1) return UNSURE
  }
}

function membersEnd(bytes: Buffer, from: number, depth: number): number {
  if (bytes[from] === CLOSE) return from + 1
  for (let at = from; ; ) {
    const name = textEnd(bytes, at)
    if (name === UNSURE || bytes[name] !== COLON) return UNSURE
    const to = valueEnd(bytes, name + 1, depth)
    if (to === UNSURE) return UNSURE
    if (bytes[to] !== COMMA) return bytes[to] === CLOSE ? to + 1 : UNSURE
    at = to + 1
  }
}

function itemsEnd(bytes: Buffer, from: number, depth: number): number {
  if (bytes[from] === CLOSE_LIST) return from + 1
  for (let at = from; ; ) {
    const to = valueEnd(bytes, at, depth)
    if (to === UNSURE) return UNSURE
    if (bytes[to] !== COMMA) return bytes[to] === CLOSE_LIST ? to + 1 : UNSURE
    at = to + 1
  }
}

/** Without an exponent: behind its `e` no value can end. */
function numberEnd(bytes: Buffer, from: number): number {
  const whole = from + Number(bytes[from] === MINUS)
  const point = digitsEnd(bytes, whole)
  if (point === whole || (bytes[whole] === ZERO && point > whole + 1)) return UNSURE
  if (bytes[point] !== POINT) return point
  const to = digitsEnd(bytes, point + 1)
  return to === point + 1 ? UNSURE : to
}

function digitsEnd(bytes: Buffer, from: number): number {
  let at = from
  while (isDigit(bytes[at]!)) at++
  return at
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}
