/**
 * Finds the lines that may be reserved records, without parsing the others.
 *
 * Horspool's search for `"event_type":"log.`, by pairs of bytes: single letters of the pattern are frequent in any
 * text, its pairs are not, so on entries of a kilobyte it looks at about two bytes in seventeen.
 * @module
 */
import { utf8 } from './bytes.ts'

const PATTERN = utf8('"event_type":"log.')
const LAST = PATTERN.length - 1
const SKIP = createSkip()

/** How far the pattern may move when this pair of bytes stands under its end; 0 for the pair that ends it. */
function createSkip(): Uint8Array {
  const skip = new Uint8Array(65_536).fill(LAST)
  for (let i = 1; i <= LAST; i++) skip[(PATTERN[i - 1]! << 8) | PATTERN[i]!] = LAST - i
  return skip
}

/** True when `bytes[start, end)` contains the pattern, at any depth or inside text: a prefilter only. */
export function isReservedAt(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start + LAST; at < end; ) {
    const skip = SKIP[(bytes[at - 1]! << 8) | bytes[at]!]!
    if (skip === 0 && isPatternAt(bytes, at - LAST)) return true
    at += skip || 1
  }
  return false
}

function isPatternAt(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i <= LAST; i++) if (bytes[at + i] !== PATTERN[i]) return false
  return true
}
