/**
 * Segments by the seq of their first entry, and whole lines from any offset in them.
 *
 * A position in a ledger is (first seq of the segment, offset in its uncompressed bytes): neither rotation nor
 * compression nor a new name moves it.
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { createSplitter, isCompressed, type LedgerFiles, listSegments, openSegment, readRange } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { MAX_LINE, parseEntry } from '../reading/entry.ts'
import type { Lines } from './batch.ts'

const BATCH_BYTES = 512 << 10
/** A piece and, as a rule, the line that is carried over to it. */
const ROOM = BATCH_BYTES + (64 << 10)
/** Of a file that grows while it is read. */
const LEAST_BYTES = 1 << 16
/** Of an active file: so far its first entry is looked for. */
const MAX_HEAD = 2 * MAX_LINE

export interface Segment {
  readonly path: string
  readonly firstSeq: number
}

/**
 * The segments that have a whole line, oldest first.
 * @throws SwornError LINE_MALFORMED when the first lines of the active file are no entries
 */
export function listNumbered(files: LedgerFiles): Segment[] {
  return listSegments(files).flatMap(({ path, firstSeq }) => {
    const first = firstSeq ?? firstSeqOf(path)
    return first === undefined ? [] : [{ path, firstSeq: first }]
  })
}

/** The seq of the first entry of a plain file; undefined when no line is whole. */
function firstSeqOf(path: string): number | undefined {
  const splitter = createSplitter()
  let isEmpty = true
  for (const chunk of readRange(path, 0, MAX_HEAD)) {
    for (const bytes of splitter.push(Buffer.from(chunk))) {
      const entry = parseEntry({ bytes })
      if (entry) return entry.seq
      isEmpty = false
    }
  }
  if (isEmpty) return undefined
  throw new SwornError('LINE_MALFORMED', 'an entry was expected', `${path}:1`)
}

/**
 * The whole lines of a segment from `offset` on, in pieces of about 512 KiB that are the caller's own.
 * A line that grows over 2 MiB is not held: it is a piece of its LF alone.
 *
 * @param spare pieces that the caller is done with: the next ones may lie where they lay
 * @throws the file system's error; errors of decompression
 */
export async function* readWholeLines(
  { path, firstSeq }: Segment,
  offset: number,
  isActive: boolean,
  spare: Uint8Array[] = [],
): AsyncGenerator<Lines> {
  const cutter = createCutter(offset, spare)
  for await (const chunk of isCompressed(path) ? decompressed(path, offset) : plain({ path, firstSeq }, offset, isActive))
    yield* cutter.push(chunk)
}

/** Cuts chunks behind their last LF. */
function createCutter(offset: number, spare: Uint8Array[]): { push(chunk: Buffer): Generator<Lines> } {
  let carry: Buffer = Buffer.alloc(0)
  let dropped = 0 // of the line at hand, which is not held
  let at = offset
  const piece = (bytes: Uint8Array, length = bytes.length): Lines => {
    const lines = { bytes, offset: at, end: at + length }
    at = lines.end
    return lines
  }
  return {
    *push(chunk) {
      const over = dropped === 0 ? 0 : chunk.indexOf(10) + 1
      if (dropped > 0 && over === 0) {
        dropped += chunk.length
        return
      }
      if (dropped > 0) yield piece(Uint8Array.of(10), dropped + over)
      const rest = chunk.subarray(over)
      const whole = rest.lastIndexOf(10) + 1
      if (whole > 0) yield piece(joined(spare, carry, rest.subarray(0, whole)))
      carry = whole === 0 ? Buffer.concat([carry, rest]) : Buffer.from(rest.subarray(whole))
      dropped = carry.length > MAX_LINE ? carry.length : 0
      if (dropped > 0) carry = Buffer.alloc(0)
    },
  }
}

/** Both in a buffer that is nobody else's: it goes to another thread. */
function joined(spare: Uint8Array[], head: Uint8Array, tail: Uint8Array): Uint8Array {
  const size = head.length + tail.length
  const old = spare.pop()?.buffer
  const bytes =
    old && old.byteLength >= size ? new Uint8Array(old, 0, size) : Buffer.allocUnsafeSlow(Math.max(size, ROOM)).subarray(0, size)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}

/** Through one buffer: a chunk holds until the next one is asked for. */
function* plain({ path, firstSeq }: Segment, offset: number, isActive: boolean): Generator<Buffer> {
  const fd = openSync(path, 'r')
  try {
    if (isActive && firstSeqOf(path) !== firstSeq) return // rotated away before it was opened: the next look finds it
    const chunk = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, Math.min(BATCH_BYTES, fstatSync(fd).size - offset)))
    for (let at = offset; ; ) {
      const read = readSync(fd, chunk, 0, chunk.length, at)
      if (read === 0) return
      at += read
      yield chunk.subarray(0, read)
    }
  } finally {
    closeSync(fd)
  }
}

async function* decompressed(path: string, offset: number): AsyncGenerator<Buffer> {
  let skip = offset
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of openSegment(path)) {
    const rest: Buffer = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - rest.length
    parts.push(rest)
    size += rest.length
    if (size < BATCH_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(parts)
}
