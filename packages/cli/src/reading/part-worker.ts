/**
 * The thread that checks pieces of a ledger. What it cannot check or read, the asking thread reads itself.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Part, RecordSigner } from '@sworn/verify'
import { checkPiece } from './check-piece.ts'
import type { Piece } from './pieces.ts'

/** What it is started with, the same for every piece. */
export interface PartTask {
  readonly sizes: readonly number[]
  readonly parse: boolean
}
/** What a thread is asked, and what it answers. */
export interface PartQuestion {
  readonly index: number
  readonly piece: Piece
  readonly signer: RecordSigner | undefined
}
export interface PartAnswer {
  readonly index: number
  readonly part: Part | undefined
}

const task = workerData as PartTask // given by part-threads.ts
let before = Promise.resolve()

parentPort?.on('message', (question: PartQuestion) => {
  before = before.then(() => answer(question)) // one piece at a time, although the next is known
})

async function answer({ index, piece, signer }: PartQuestion): Promise<void> {
  const part = await checkPiece(piece, { ...task, signer })
  const message: PartAnswer = { index, part }
  parentPort?.postMessage(message, part ? [part.tail.leaves.buffer as ArrayBuffer] : []) // made by checkPart: not shared
}
