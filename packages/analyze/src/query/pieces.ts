/**
 * The bytes of a segment as pieces of whole lines, for readers that look at many lines at once.
 * @module
 */
import { fstatSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isCompressed, openSegment, readRange } from '@sworn/recorder/segments'
import { MAX_LINE } from '../reading/entry.ts'

/** Chunks after which others have their turn: reading a plain file waits for nothing. */
const TURN_CHUNKS = 4

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
  let at = offset
  for (const chunk of readRange(fd, offset)) {
    const lf = chunk.indexOf(10)
    if (lf >= 0) return at + lf + 1
    at += chunk.length
  }
  return at
}

function isPacked(file: string | number): file is string {
  return typeof file === 'string' && isCompressed(file)
}

/**
 * Every byte of a segment, decompressed; of a line that is too long to be an entry only so much that this shows.
 * @param file its path, or a descriptor of a plain one that stays open
 * @param range whole lines of a plain one, instead of all
 */
export async function* readPieces(file: string | number, { from, to }: Partial<PieceRange> = {}): AsyncGenerator<Piece> {
  let held: Buffer = Buffer.alloc(0) // a line whose end has not come
  let chunks = 0
  for await (const chunk of isPacked(file) ? openSegment(file) : readRange(file, from ?? 0, to)) {
    const first = chunk.indexOf(10) + 1
    const last = chunk.lastIndexOf(10) + 1
    if (first > 0 && held.length > 0) yield { bytes: Buffer.concat([held, chunk.subarray(0, first)]), complete: true }
    const start = held.length > 0 ? first : 0
    if (last > start) yield { bytes: chunk.subarray(start, last), complete: true }
    if (last > 0) held = Buffer.from(chunk.subarray(last))
    else if (held.length < MAX_LINE) held = Buffer.concat([held, chunk])
    if (++chunks % TURN_CHUNKS === 0) await nextTurn()
  }
  if (held.length > 0) yield { bytes: held, complete: false }
}
