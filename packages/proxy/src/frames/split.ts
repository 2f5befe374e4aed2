/**
 * Bytes in, lines out: the framing of MCP over stdio.
 *
 * One message a line, ended by LF; nothing is decoded here. A frame is handed out with its LF, as a
 * view of the received chunk when it lies within one. Memory is bounded: a line longer than the
 * bound is dropped up to its LF and reported once.
 * Source: MCP 2025-11-25 and 2026-07-28, "stdio" transport.
 * @module
 */

/** 10 MiB, LF included: what both generations of the official SDK accept. */
export const MAX_FRAME_BYTES = 10 * 1024 * 1024

const LF = 0x0a

export interface SplitterOptions {
  /** Bound in bytes, LF included; default 10 MiB. */
  readonly maxBytes?: number
  /** One line with its LF; a view, valid as long as the caller keeps it. */
  readonly onFrame: (frame: Buffer) => void
  /** A line was too long or the stream ended inside one; `bytes` of it were dropped. */
  readonly onLost: (why: 'too_long' | 'unterminated', bytes: number) => void
}

export interface Splitter {
  push(chunk: Buffer): void
  /** The stream ended: what is left is no frame. */
  end(): void
}

/** A splitter for one direction of one connection. Attacker-controlled input enters at `push`. */
export function createSplitter({ maxBytes = MAX_FRAME_BYTES, onFrame, onLost }: SplitterOptions): Splitter {
  let store: Buffer = Buffer.alloc(0)
  let held = 0
  let skipped = 0

  function keep(rest: Buffer): void {
    if (rest.length === 0) return
    if (skipped > 0 || held + rest.length > maxBytes) {
      skipped += held + rest.length
      forget()
      return
    }
    store = withRoom(store, held, rest.length)
    rest.copy(store, held)
    held += rest.length
  }

  function forget(): void {
    held = 0
    store = Buffer.alloc(0)
  }

  function finish(line: Buffer): void {
    const bytes = skipped + held + line.length
    const whole = held > 0 ? Buffer.concat([store.subarray(0, held), line]) : line
    forget()
    skipped = 0
    if (bytes > maxBytes) onLost('too_long', bytes)
    else onFrame(whole)
  }

  return {
    push(chunk) {
      let from = 0
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
        finish(chunk.subarray(from, at + 1))
        from = at + 1
      }
      keep(chunk.subarray(from))
    },
    end() {
      if (skipped > 0) onLost('too_long', skipped)
      else if (held > 0) onLost('unterminated', held)
      forget()
      skipped = 0
    },
  }
}

/** A buffer that begins with the first `held` bytes and has room for `more`; doubles, so that many small chunks cost linear time. */
function withRoom(store: Buffer, held: number, more: number): Buffer {
  if (held + more <= store.length) return store
  const larger = Buffer.allocUnsafe(Math.max(held + more, 2 * store.length))
  store.copy(larger, 0, 0, held)
  return larger
}
