/**
 * The bytes of a segment as pieces of whole lines, for readers that look at many lines at once.
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isCompressed, openSegment } from '@sworn/recorder/segments'
import { MAX_LINE } from '../reading/entry.ts'

/** What is read at once: it stays in the processor's cache while it is looked at. */
const PIECE_BYTES = 256 << 10
/** Pieces after which others have their turn: reading a plain file waits for nothing. */
const TURN_PIECES = 4
/** What is read to find the end of a line. */
const EDGE_BYTES = 4 << 10

export interface Piece {
  /** Lines, each with its LF but perhaps the last of the file; they hold until the next piece is asked for. */
  readonly bytes: Buffer
  /** false: the last line of its file and without LF. */
  readonly complete: boolean
}

/** `[from, to)` */
export interface PieceRange {
  readonly from: number
  readonly to: number
}

/** A plain file that is open in ranges of whole lines of about `bytes`, up to the end that it has now. */
export function* cutRanges(fd: number, bytes: number): Generator<PieceRange> {
  const { size } = fstatSync(fd)
  for (let from = 0; from < size; ) {
    const to = from + bytes < size ? behindLine(fd, from + bytes) : size
    yield { from, to }
    from = to
  }
}

/** Behind the line that `offset` lies in. */
function behindLine(fd: number, offset: number): number {
  const edge = Buffer.allocUnsafe(EDGE_BYTES)
  for (let at = offset; ; at += edge.length) {
    const read = readSync(fd, edge, 0, edge.length, at)
    const lf = edge.subarray(0, read).indexOf(LF)
    if (lf >= 0) return at + lf + 1
    if (read < edge.length) return at + read
  }
}

const LF = 10

/** Room for one reader: of what is behind a piece only that is used, and so there, which a long line needs. */
export function createRoom(): Buffer {
  return Buffer.allocUnsafeSlow(MAX_LINE + PIECE_BYTES)
}

/**
 * Every byte of a plain file that is open, or of a range of whole lines of it; of a line that is too long to be an entry
 * only so much that this shows.
 * @param room where the pieces lie, one after the other
 */
export function* piecesOf(fd: number, { from, to }: PieceRange, room: Buffer): Generator<Piece> {
  let held = 0 // bytes of a line whose end has not come
  for (let at = from; at < to; ) {
    const read = readSync(fd, room, held, Math.min(PIECE_BYTES, to - at), at)
    if (read === 0) break
    at += read
    const end = held + read
    const last = held + room.subarray(held, end).lastIndexOf(LF) + 1
    if (last === held) {
      held = Math.min(end, MAX_LINE)
      continue
    }
    yield { bytes: room.subarray(0, last), complete: true }
    room.copyWithin(0, last, end)
    held = end - last
  }
  if (held > 0) yield { bytes: room.subarray(0, held), complete: false }
}

/** The same of any segment by its path, decompressed. */
export async function* readPieces(path: string): AsyncGenerator<Piece> {
  if (isCompressed(path)) yield* unpacked(path)
  else yield* inTurns(path)
}

async function* inTurns(path: string): AsyncGenerator<Piece> {
  const fd = openSync(path, 'r')
  let pieces = 0
  try {
    for (const piece of piecesOf(fd, { from: 0, to: Number.POSITIVE_INFINITY }, createRoom())) {
      yield piece
      if (++pieces % TURN_PIECES === 0) await nextTurn()
    }
  } finally {
    closeSync(fd)
  }
}

async function* unpacked(path: string): AsyncGenerator<Piece> {
  let held: Buffer = Buffer.alloc(0) // a line whose end has not come
  for await (const chunk of openSegment(path)) {
    const first = chunk.indexOf(LF) + 1
    const last = chunk.lastIndexOf(LF) + 1
    if (first > 0 && held.length > 0) yield { bytes: Buffer.concat([held, chunk.subarray(0, first)]), complete: true }
    const start = held.length > 0 ? first : 0
    if (last > start) yield { bytes: chunk.subarray(start, last), complete: true }
    if (last > 0) held = Buffer.from(chunk.subarray(last))
    else if (held.length < MAX_LINE) held = Buffer.concat([held, chunk])
  }
  if (held.length > 0) yield { bytes: held, complete: false }
}
