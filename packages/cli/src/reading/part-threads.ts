/**
 * Threads that check the pieces of a ledger ahead of the one that joins them.
 *
 * At most two pieces a thread are under way or waiting, so memory does not grow with the ledger.
 * @module
 */
import type { Worker } from 'node:worker_threads'
import { startWorker } from '@sworn/recorder'
import type { Part } from '@sworn/verify'
import type { PartAnswer, PartQuestion } from './part-worker.ts'
import type { Piece } from './pieces.ts'

const AHEAD = 2

export interface PartThreads {
  /** The part of piece `index`, to be asked for in order; undefined: read its bytes instead. */
  part(index: number): Promise<Part | undefined>
  close(): Promise<void>
}

/** @param sizes `LogCheck.sizes` */
export function startPartThreads(pieces: readonly Piece[], sizes: readonly number[], threads: number): PartThreads {
  const answers = new Map<number, PromiseWithResolvers<Part | undefined>>()
  const workers = Array.from({ length: threads }, () => startWorker(import.meta.url, './part-worker', sizes))
  const idle = [...workers]
  const busy = new Map<Worker, number>()
  let next = 0
  let taken = 0
  const answer = (index: number): PromiseWithResolvers<Part | undefined> => {
    const known = answers.get(index) ?? Promise.withResolvers<Part | undefined>()
    answers.set(index, known)
    return known
  }
  const hand = (): void => {
    while (idle.length > 0 && next < pieces.length && next < taken + threads * AHEAD) {
      const worker = idle.pop()!
      busy.set(worker, next)
      worker.postMessage({ index: next, piece: pieces[next]! } satisfies PartQuestion)
      next += 1
    }
  }
  const fail = (worker: Worker): void => {
    const index = busy.get(worker)
    busy.delete(worker)
    if (index !== undefined) answer(index).resolve(undefined)
    if (busy.size === 0 && idle.length === 0) for (; next < pieces.length; next++) answer(next).resolve(undefined)
  }
  for (const worker of workers) {
    worker.on('message', ({ index, part }: PartAnswer) => {
      busy.delete(worker)
      answer(index).resolve(part)
      idle.push(worker)
      hand()
    })
    worker.once('error', () => {
      idle.splice(0, idle.length, ...idle.filter((other) => other !== worker))
      fail(worker)
    })
  }
  hand()
  return {
    async part(index) {
      const part = await answer(index).promise
      answers.delete(index)
      taken = index + 1
      hand()
      return part
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
