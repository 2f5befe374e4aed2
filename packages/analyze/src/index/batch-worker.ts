/**
 * The thread that turns lines into rows, ahead of the one that writes them.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { answerBatch, type BatchAnswer, type Lines } from './batch.ts'

/** Answers in the order in which it was asked; the lines come back with each. */
parentPort?.on('message', (lines: Lines) => {
  const answer = answerBatch(lines)
  parentPort?.postMessage(answer, 'batch' in answer ? buffersOf(answer) : [])
})

function buffersOf({ batch, bytes: lines }: Extract<BatchAnswer, { batch: unknown }>): ArrayBuffer[] {
  const { correlationId, parentId, ...rows } = batch.rows
  const texts = [correlationId, parentId].flatMap((column) => [column.bytes, column.lengths])
  const columns = [...Object.values(rows), ...texts, ...batch.signatures.map(({ signature }) => signature)]
  return [...columns.map((array) => array.buffer), lines.buffer as ArrayBuffer] // made by readWholeLines: not shared
}
