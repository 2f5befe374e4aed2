/**
 * One piece of a ledger checked for itself, on whichever thread.
 * @module
 */
import { checkPart, type Part, type PartOptions } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { type Piece, readPiece } from './pieces.ts'

/** Of this thread, which checks one piece at a time. What is left to the collector off the heap stays for long. */
const blocks: Uint8Array[] = []

/** Undefined: something is wrong with it or it cannot be read; whoever joins the pieces reads it itself and says what. */
export async function checkPiece(
  piece: Piece,
  asked: Pick<PartOptions, 'sizes' | 'parse' | 'signer'>,
  pause?: () => Promise<void>,
): Promise<Part | undefined> {
  try {
    return await checkPart(pause ? inTurns(piece, pause) : readPiece(piece), { primitives: nodePrimitives, ...asked, blocks })
  } catch {
    return undefined
  }
}

async function* inTurns(piece: Piece, pause: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of readPiece(piece)) {
    yield chunk
    await pause()
  }
}
