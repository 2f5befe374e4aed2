/**
 * Lines of ledger files as a stream; memory does not depend on the size of the file.
 *
 * Splits on LF only (U+2028 may stand raw in a line). A line without LF at the very end is yielded as
 * incomplete: a writer may be in the middle of it. Lines over 2 MiB are cut and reported, not kept.
 * @module
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { isCompressed, openSegment, readRange } from './bytes.ts'
import { findAgain, type LedgerFiles, listSegments } from './find.ts'

const MAX_LINE = 2 << 20
/** Chunks after which others have their turn: reading a plain file waits for nothing. */
const TURN_CHUNKS = 4

export interface RawLine {
  readonly file: string
  /** Counted from 1 in this file. */
  readonly number: number
  /** Without its LF; at most 2 MiB. */
  readonly bytes: Buffer
  /** false: the last line of its file and without LF. */
  readonly complete: boolean
}

/** Cuts chunks into lines, which lie where their chunk lies. */
export function createSplitter(): { push(chunk: Buffer): Buffer[]; rest(): Buffer } {
  let held: Buffer[] = []
  let size = 0
  const take = (last: Buffer): Buffer => {
    const line = held.length === 0 ? last : Buffer.concat([...held, last])
    held = []
    size = 0
    return line
  }
  return {
    push(chunk) {
      const lines: Buffer[] = []
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        lines.push(take(chunk.subarray(start, end)))
        start = end + 1
      }
      const tail = chunk.subarray(start)
      if (tail.length > 0 && size < MAX_LINE) held.push(Buffer.from(tail)) // the next chunk may lie where this one lay
      size += tail.length
      return lines
    },
    rest: () => take(Buffer.alloc(0)),
  }
}

/** All lines of one file. */
export function readLines(path: string): AsyncGenerator<RawLine> {
  return toLines(path, openSegment(path))
}

/**
 * All lines of a ledger, oldest first, whatever is rotated or packed meanwhile; the bytes of each hold until the next one is asked for.
 * @throws SwornError IO_FAILED when a file is dropped before it was read; the file system's error
 */
export async function* readLedger(files: LedgerFiles): AsyncGenerator<RawLine> {
  const listed = listSegments(files)
  for (const i of listed.keys()) {
    const path = findAgain(files, listed, i)
    yield* toLines(path, isCompressed(path) ? openSegment(path) : readInTurns(path))
  }
}

async function* toLines(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<RawLine> {
  const splitter = createSplitter()
  let number = 0
  for await (const chunk of chunks) {
    for (const bytes of splitter.push(chunk)) yield { file: path, number: ++number, bytes, complete: true }
  }
  const bytes = splitter.rest()
  if (bytes.length > 0) yield { file: path, number: ++number, bytes, complete: false }
}

async function* readInTurns(path: string): AsyncGenerator<Buffer> {
  let chunks = 0
  for (const chunk of readRange(path, 0)) {
    yield chunk
    if (++chunks % TURN_CHUNKS === 0) await nextTurn()
  }
}
