/**
 * Lines to batches, here or on threads that work ahead.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { startThreads, type Threads } from '../threads.ts'
import { answerBatch, type Batch, type BatchAnswer, createBatch, type Lines } from './batch.ts'

export interface Batcher {
  /** Pieces that became batches: the next ones may lie where they lay. */
  readonly spare: Uint8Array[]
  /**
   * Batches of `lines`, in order.
   * @throws SwornError LINE_MALFORMED; INDEX_FAILED when a thread died
   */
  batches(lines: AsyncIterable<Lines>): AsyncGenerator<Batch>
  close(): Promise<void>
}

/** @param threads 2: others work beside the caller, and ahead while it uses the batch at hand */
export function createBatcher(threads: 1 | 2): Batcher {
  const spare: Uint8Array[] = []
  if (threads === 1) return { spare, batches: (lines) => oneByOne(lines, spare), close: async () => {} }
  const workers = startThreads<Lines, BatchAnswer>(import.meta.url, './batch-worker', {
    fault: 'INDEX_FAILED',
    answer: answerBatch,
    toTransfer: ({ bytes }) => [bytes.buffer as ArrayBuffer], // made by readWholeLines: not shared
  })
  return { spare, batches: (lines) => onThreads(workers, lines, spare), close: workers.close }
}

async function* oneByOne(lines: AsyncIterable<Lines>, spare: Uint8Array[]): AsyncGenerator<Batch> {
  for await (const piece of lines) {
    yield createBatch(piece)
    spare.push(piece.bytes)
  }
}

async function* onThreads(workers: Threads<Lines, BatchAnswer>, lines: AsyncIterable<Lines>, spare: Uint8Array[]): AsyncGenerator<Batch> {
  for await (const answer of workers.answers(lines)) {
    if (!('batch' in answer)) throw new SwornError('LINE_MALFORMED', answer.fault, answer.at)
    spare.push(answer.bytes)
    yield answer.batch
  }
}
