/**
 * Threads that answer tasks ahead of whoever uses the answers, which come in the order of the tasks.
 * @module
 */
import type { Worker } from 'node:worker_threads'
import { startWorker } from '@sworn/recorder/reading'
import { type ErrorCode, SwornError } from '@sworn/verify'

const THREADS = 2
/** Tasks that each thread has: the one it works at and the one it goes on with. */
const ASKED = 2

export interface Threads<Task, Answer> {
  /**
   * The answers to `tasks`, in their order; few tasks are taken ahead.
   * @throws SwornError `fault` when a thread died; what `tasks` throws
   */
  answers(tasks: AsyncIterable<Task> | Iterable<Task>): AsyncGenerator<Answer>
  close(): Promise<void>
}

export interface ThreadsOptions<Task> {
  /** Of a thread that died. */
  readonly fault: ErrorCode
  /** What of a task becomes the thread's own; default: nothing. */
  readonly toTransfer?: (task: Task) => ArrayBuffer[]
}

/**
 * @param from `import.meta.url` of the caller
 * @param name path of the worker's module relative to `from`, without extension: it answers each message with one
 */
export function startThreads<Task, Answer>(from: string, name: string, options: ThreadsOptions<Task>): Threads<Task, Answer> {
  const { fault, toTransfer = () => [] } = options
  const start = () => startThread<Task, Answer>(startWorker(from, name, undefined), fault, toTransfer)
  const threads = Array.from({ length: THREADS }, start)
  return {
    async *answers(tasks) {
      const ahead: Promise<Answer>[] = []
      let given = 0
      for await (const task of tasks) {
        ahead.push(threads[given++ % THREADS]!.answer(task))
        if (ahead.length >= THREADS * ASKED) yield await ahead.shift()!
      }
      for (const answer of ahead) yield await answer
    },
    close: async () => void (await Promise.all(threads.map((thread) => thread.close()))),
  }
}

interface Thread<Task, Answer> {
  answer(task: Task): Promise<Answer>
  close(): Promise<void>
}

function startThread<Task, Answer>(worker: Worker, fault: ErrorCode, toTransfer: (task: Task) => ArrayBuffer[]): Thread<Task, Answer> {
  const waiting: PromiseWithResolvers<Answer>[] = []
  const fail = (cause?: unknown): void => {
    for (const asked of waiting.splice(0))
      asked.reject(new SwornError(fault, 'a thread that reads the ledger ended before it answered', '', { cause }))
  }
  worker.on('message', (answer: Answer) => waiting.shift()?.resolve(answer))
  worker.once('error', fail)
  worker.once('exit', () => fail())
  return {
    answer(task) {
      const asked = Promise.withResolvers<Answer>()
      asked.promise.catch(() => undefined) // met where it is waited for
      waiting.push(asked)
      worker.postMessage(task, toTransfer(task))
      return asked.promise
    },
    close: async () => void (await worker.terminate()),
  }
}
