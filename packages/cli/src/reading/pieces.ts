/**
 * A ledger's bytes cut into pieces that can be checked beside each other.
 *
 * Plain segments are cut at line ends; a compressed one is a piece of its own. The last piece of a file has no end:
 * it is read as far as the file goes by then.
 * @module
 */
import { statSync } from 'node:fs'
import { isCompressed, openSegment, readRange, type SegmentFile } from '@sworn/analyze/reading'

export const PIECE_BYTES = 8 * 2 ** 20
/** No line is longer; where none ends for so long the file is not cut. */
const MAX_LINE_BYTES = 2 << 20

export interface Piece {
  readonly path: string
  readonly from: number
  readonly to: number | undefined
  /** On disk, when the pieces were planned. */
  readonly bytes: number
}

export function planPieces(segments: readonly SegmentFile[], pieceBytes = PIECE_BYTES): Piece[] {
  return segments.flatMap(({ path }) => {
    const { size } = statSync(path)
    const starts = [0, ...(isCompressed(path) ? [] : cuts(path, size, pieceBytes))]
    return starts.map((from, i) => ({ path, from, to: starts[i + 1], bytes: (starts[i + 1] ?? size) - from }))
  })
}

function cuts(path: string, size: number, pieceBytes: number): number[] {
  const found: number[] = []
  for (let wanted = pieceBytes; wanted + pieceBytes / 2 < size; wanted = (found.at(-1) ?? 0) + pieceBytes) {
    const at = lineStart(path, wanted)
    if (at === undefined || at >= size) break
    found.push(at)
  }
  return found
}

/** The first start of a line behind `offset`. */
function lineStart(path: string, offset: number): number | undefined {
  let at = offset
  for (const chunk of readRange(path, offset, offset + MAX_LINE_BYTES)) {
    const lf = chunk.indexOf(10)
    if (lf >= 0) return at + lf + 1
    at += chunk.length
  }
  return undefined
}

/** The bytes of a piece; a chunk holds until the next one is asked for. */
export function readPiece({ path, from, to }: Piece): AsyncIterable<Buffer> | Iterable<Buffer> {
  return isCompressed(path) ? openSegment(path) : readRange(path, from, to)
}
