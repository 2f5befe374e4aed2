/**
 * The ring: memory that the caller's thread and the appender's thread share, first in, first out.
 *
 * The caller alone writes and moves the head; the appender alone frees and moves the tail. A region is contiguous and
 * is named in a message only after it was written, so neither ever reads what the other is writing. Bounded by
 * design: what does not fit waits with the caller. Source: docs/benchmarks.md, caller to worker.
 * @module
 */
import { SYNC_TIME_WORDS } from './sync-times.ts'
import { CONTROL } from './thread-messages.ts'

/** A power of two: positions count on and wrap with 32 bits. */
const RING_BYTES = 4 * 1024 * 1024
/** Control words, then how long the disk took. */
const TIMES_AT = 64
const CONTROL_BYTES = 256
const ALIGN = 4

/** A written region: where it begins in the ring, and the position behind it. */
export interface Region {
  readonly offset: number
  readonly end: number
}

export interface RingWriter {
  /** Lets `write` fill a free stretch of `mostBytes` bytes; it returns how many it used. undefined: no room now. */
  write(mostBytes: number, write: (bytes: Buffer, offset: number) => number): Region | undefined
}

export interface RingReader {
  readonly bytes: Buffer
  /** Everything up to the end of this region may be written over. */
  free(region: Region): void
}

/** The control words with the ring behind them. */
export function createSharedMemory(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CONTROL_BYTES + RING_BYTES), 0, CONTROL.words)
}

/** How long the disk took, behind the control words: for `SYNC_TIME_WORDS`. */
export function syncTimesOf({ buffer }: Int32Array): Float64Array {
  return new Float64Array(buffer, TIMES_AT, SYNC_TIME_WORDS)
}

export function createRingWriter(control: Int32Array): RingWriter {
  const bytes = ringOf(control)
  let head = 0
  return {
    write(mostBytes, write) {
      const free = RING_BYTES - ((head - Atomics.load(control, CONTROL.tail)) >>> 0)
      const start = head % RING_BYTES
      const skipped = start + mostBytes > RING_BYTES ? RING_BYTES - start : 0
      if (skipped + mostBytes > free) return undefined
      const offset = (start + skipped) % RING_BYTES
      const used = write(bytes, offset)
      head = (head + skipped + Math.ceil(used / ALIGN) * ALIGN) >>> 0
      return { offset, end: head }
    },
  }
}

export function createRingReader(control: Int32Array): RingReader {
  return { bytes: ringOf(control), free: ({ end }) => void Atomics.store(control, CONTROL.tail, end | 0) }
}

function ringOf({ buffer }: Int32Array): Buffer {
  return Buffer.from(buffer as unknown as ArrayBuffer, CONTROL_BYTES, RING_BYTES) // Buffer takes shared memory as well
}
