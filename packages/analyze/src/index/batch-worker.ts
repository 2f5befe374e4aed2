/**
 * The thread that turns lines into rows, ahead of the one that writes them.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { type Batch, createBatch, type Lines } from './batch.ts'

/** What the thread answers, in the order in which it was asked; the lines come back with it. */
export type BatchAnswer = { readonly batch: Batch; readonly bytes: Uint8Array } | { readonly fault: string; readonly at: string }

parentPort?.on('message', (lines: Lines) => {
  const answer = tryBatch(lines)
  parentPort?.postMessage(answer, 'batch' in answer ? buffersOf(answer) : [])
})

function tryBatch(lines: Lines): BatchAnswer {
  try {
    return { batch: createBatch(lines), bytes: lines.bytes }
  } catch (e) {
    if (!SwornError.is(e, 'LINE_MALFORMED')) throw e
    return { fault: 'an entry that goes on was expected', at: e.at }
  }
}

function buffersOf({ batch, bytes: lines }: Extract<BatchAnswer, { batch: Batch }>): ArrayBuffer[] {
  const { correlationId, parentId, ...rows } = batch.rows
  const texts = [correlationId, parentId].flatMap((column) => [column.bytes, column.lengths])
  const columns = [...Object.values(rows), ...texts, ...batch.signatures.map(({ signature }) => signature)]
  return [...columns.map((array) => array.buffer), lines.buffer as ArrayBuffer] // made by readWholeLines: not shared
}
