/**
 * What is linked and not yet written: lines in one growing stretch of memory that is used again and again.
 *
 * A line is laid out where it will be written from, so that it is hashed and written without another copy.
 * @module
 */

/** Lines one behind the other. */
export interface Batch {
  /** Of finished lines. */
  readonly bytes: number
  readonly lines: number
  /** Exact lines for reserved.jsonl. */
  kept: string[]
  /** Rows for the vault, on disk before the lines are written. */
  rows: string[]
  /** Begins a line: `payload` without its final brace, then `added`. */
  begin(payload: string | Uint8Array, added: string): void
  /** Adds ASCII to the line. */
  add(text: string): void
  /** What was laid out of the line so far; valid until the next call. */
  line(): Buffer
  end(): void
  /** All finished lines; valid until the next call. */
  all(): Buffer
  /** Forgets them. */
  clear(): void
}

const FIRST_BYTES = 64 << 10
/** Kept over `clear`: what a commit usually needs, not what the largest needed. */
const KEPT_BYTES = 4 << 20
/** UTF-8 bytes of one UTF-16 unit, at most. */
const BYTES_EACH = 3

export function createBatch(): Batch {
  let memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
  let start = 0
  let end = 0
  let lines = 0
  function make(room: number): void {
    if (end + room <= memory.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * memory.length, end + room))
    memory.copy(larger, 0, 0, end)
    memory = larger
  }
  return {
    kept: [],
    rows: [],
    get bytes() {
      return start
    },
    get lines() {
      return lines
    },
    begin(payload, added) {
      end = start
      if (typeof payload === 'string') {
        make(BYTES_EACH * payload.length)
        end += memory.write(payload, end, 'utf8')
      } else {
        make(payload.length)
        memory.set(payload, end)
        end += payload.length
      }
      end -= 1
      if (added === '') return
      make(BYTES_EACH * added.length)
      end += memory.write(added, end, 'utf8')
    },
    add(text) {
      make(text.length)
      end += memory.write(text, end, 'latin1')
    },
    line: () => memory.subarray(start, end),
    end() {
      start = end
      lines++
    },
    all: () => memory.subarray(0, start),
    clear() {
      if (memory.length > KEPT_BYTES) memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
      start = 0
      end = 0
      lines = 0
    },
  }
}
