/**
 * Threads that check the pieces of a ledger ahead of the one that joins them, which lends a hand while it waits.
 *
 * At most two pieces a thread are under way or waiting, so memory does not grow with the ledger. A thread that
 * dies ends the verification: whatever killed it would take the asking thread next.
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { startWorker } from '@sworn/recorder/reading'
import { type LogCheck, type Part, SwornError } from '@sworn/verify'
import { checkPiece } from './check-piece.ts'
import type { PartAnswer, PartQuestion, PartTask } from './part-worker.ts'
import type { Piece } from './pieces.ts'

/** Pieces a thread: the one it checks and the one it goes on with. */
const AHEAD = 2

export interface PartThreads {
  /**
   * The part of piece `index`, to be asked for in order; undefined: read its bytes instead.
   * @throws SwornError VERIFIER_FAILED when a thread has died
   */
  part(index: number): Promise<Part | undefined>
  close(): Promise<void>
}

/**
 * @param check what the parts will be joined to
 * @param threads counts the calling one
 */
export function startPartThreads(
  pieces: readonly Piece[],
  check: Pick<LogCheck, 'sizes' | 'parses' | 'signer'>,
  threads: number,
  startThread = (): Worker => startWorker(import.meta.url, './part-worker', taskOf(check)),
): PartThreads {
  const answers = new Map<number, Part | undefined>()
  const died = Promise.withResolvers<never>()
  died.promise.catch(() => undefined) // met where a part is waited for
  let wake = Promise.withResolvers<void>()
  let next = 0
  let taken = 0
  const claim = (): number | undefined => (next < pieces.length && next < taken + threads * AHEAD ? next++ : undefined)
  const take = ({ index, part }: PartAnswer): void => {
    answers.set(index, part)
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const workers = Array.from({ length: threads - 1 }, startThread)
  const asked = new Map<Worker, number>()
  const hand = (worker: Worker, answered = 0): void => {
    let count = (asked.get(worker) ?? 0) - answered
    for (let index: number | undefined; count < AHEAD && (index = claim()) !== undefined; count++)
      worker.postMessage({ index, piece: pieces[index]!, signer: check.signer } satisfies PartQuestion)
    asked.set(worker, count)
  }
  for (const worker of workers) {
    worker.on('message', (answer: PartAnswer) => {
      take(answer)
      hand(worker, 1)
    })
    worker.once('error', (cause) => died.reject(failure(cause)))
    worker.once('exit', () => died.reject(failure()))
  }
  return {
    async part(index) {
      taken = index
      for (const worker of workers) hand(worker)
      while (!answers.has(index)) {
        const mine = claim()
        if (mine === undefined) await Promise.race([wake.promise, died.promise])
        else take({ index: mine, part: await checkPiece(pieces[mine]!, { ...taskOf(check), signer: check.signer }, nextTurn) })
      }
      const part = answers.get(index)
      answers.delete(index)
      return part
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function taskOf({ sizes, parses }: Pick<LogCheck, 'sizes' | 'parses'>): PartTask {
  return { sizes, parse: parses }
}

function failure(cause?: unknown): SwornError {
  return new SwornError('VERIFIER_FAILED', 'a thread that checks the ledger ended before it answered', '', { cause })
}
