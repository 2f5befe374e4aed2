/**
 * Lines out of chunks, without copying those that lie within one chunk.
 *
 * Splits at LF only. Memory is bounded: of a line longer than the bound only the fact is kept.
 * @module
 */
import { concat } from './bytes.ts'

const LF = 0x0a
/** The hard line limit of the format, and room for the integrity suffix and a signature. */
export const MAX_LINE_BYTES = 1024 * 1024 + 512

/** The line last found: `bytes[start, end)` without LF, valid until the next chunk is fed. */
export interface Cursor {
  bytes: Uint8Array
  start: number
  end: number
  /** The line passed the bound and was dropped; the range is empty. */
  tooLong: boolean
}

export interface Splitter {
  readonly cursor: Cursor
  /** Hands over the next chunk; every line of the one before has been taken. */
  feed(chunk: Uint8Array): void
  /** Moves the cursor to the next whole line; false when the chunk holds no more. */
  next(): boolean
  /** True when bytes behind the last LF were fed. */
  hasTail(): boolean
}

export function createSplitter(): Splitter {
  const cursor: Cursor = { bytes: new Uint8Array(0), start: 0, end: 0, tooLong: false }
  let chunk = cursor.bytes
  let at = 0
  let held: Uint8Array[] = []
  let heldBytes = 0
  const hold = (part: Uint8Array): void => {
    heldBytes += part.length
    if (heldBytes > MAX_LINE_BYTES) held = []
    else held.push(concat(part)) // the source may reuse its chunk; `slice` of a Node Buffer is no copy
  }
  const takeHeld = (part: Uint8Array): void => {
    cursor.tooLong = heldBytes + part.length > MAX_LINE_BYTES
    cursor.bytes = cursor.tooLong ? new Uint8Array(0) : concat(...held, part)
    cursor.start = 0
    cursor.end = cursor.bytes.length
    held = []
    heldBytes = 0
  }
  return {
    cursor,
    feed(next) {
      chunk = next
      at = 0
    },
    next() {
      const end = chunk.indexOf(LF, at)
      if (end < 0) {
        if (at < chunk.length) hold(chunk.subarray(at))
        at = chunk.length
        return false
      }
      if (heldBytes > 0 || end - at > MAX_LINE_BYTES) takeHeld(chunk.subarray(at, end))
      else {
        cursor.bytes = chunk
        cursor.start = at
        cursor.end = end
        cursor.tooLong = false
      }
      at = end + 1
      return true
    },
    hasTail: () => heldBytes > 0,
  }
}
