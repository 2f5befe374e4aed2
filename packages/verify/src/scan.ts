/**
 * Finds the lines that may be reserved records, without parsing the others.
 *
 * Horspool's search for `"event_type":"log.`: on entries of a kilobyte it looks at about one byte in fifteen.
 * @module
 */
import { utf8 } from './bytes.ts'

const PATTERN = utf8('"event_type":"log.')
const LAST = PATTERN.length - 1
const SKIP = createSkip()

/** How far the pattern may move when this byte stands under its end. */
function createSkip(): Uint8Array {
  const skip = new Uint8Array(256).fill(PATTERN.length)
  PATTERN.subarray(0, LAST).forEach((byte, i) => {
    skip[byte] = LAST - i
  })
  return skip
}

/** True when `bytes[start, end)` contains the pattern, at any depth or inside text: a prefilter only. */
export function isReservedAt(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start + LAST; at < end; at += SKIP[bytes[at]!]!) {
    let i = 0
    while (i <= LAST && bytes[at - i] === PATTERN[LAST - i]) i++
    if (i > LAST) return true
  }
  return false
}
