/**
 * The thread that checks pieces of a ledger. What it cannot check or read, the asking thread reads itself.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { checkPart, type Part } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { type Piece, readPiece } from './pieces.ts'

/** What a thread is asked, and what it answers. */
export interface PartQuestion {
  readonly index: number
  readonly piece: Piece
}
export interface PartAnswer {
  readonly index: number
  readonly part: Part | undefined
}

const sizes = workerData as readonly number[] // given by part-threads.ts

parentPort?.on('message', async ({ index, piece }: PartQuestion) => {
  const part = await checkPiece(piece)
  const answer: PartAnswer = { index, part }
  parentPort?.postMessage(answer, part ? [part.tail.leaves.buffer as ArrayBuffer] : []) // made by checkPart: not shared
})

async function checkPiece(piece: Piece): Promise<Part | undefined> {
  try {
    return await checkPart(readPiece(piece), { primitives: nodePrimitives, sizes })
  } catch {
    return undefined // the asking thread meets the same error and says it
  }
}
