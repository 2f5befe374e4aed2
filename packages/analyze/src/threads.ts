/**
 * Threads that answer tasks ahead of whoever uses the answers, which come in the order of the tasks. The asking thread
 * lends a hand while it would wait, so that two processors are full with one thread beside it.
 * @module
 */
import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { startWorker } from '@sworn/recorder/reading'
import { type ErrorCode, SwornError } from '@sworn/verify'

/** Beside the asking one. */
const MOST_THREADS = 2
/** Tasks that each thread has, the asking one too: the one it works at and the one it goes on with. */
const ASKED = 2

export interface Threads<Task, Answer> {
  /**
   * The answers to `tasks`, in their order; few tasks are taken ahead.
   * @throws SwornError `fault` when a thread died; what `tasks` throws
   */
  answers(tasks: AsyncIterable<Task> | Iterable<Task>): AsyncGenerator<Answer>
  close(): Promise<void>
}

export interface ThreadsOptions<Task, Answer> {
  /** Of a thread that died. */
  readonly fault: ErrorCode
  /** The same work on the asking thread. */
  readonly answer: (task: Task) => Answer | Promise<Answer>
  /** What of a task becomes the thread's own; default: nothing. */
  readonly toTransfer?: (task: Task) => ArrayBuffer[]
}

/**
 * One beside the asking thread for each further processor, at least one and at most two.
 *
 * @param from `import.meta.url` of the caller
 * @param name path of the worker's module relative to `from`, without extension: it answers each message with one
 */
export function startThreads<Task, Answer>(from: string, name: string, options: ThreadsOptions<Task, Answer>): Threads<Task, Answer> {
  const { fault, answer, toTransfer = () => [] } = options
  const count = Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1))
  const threads = Array.from({ length: count }, () => startThread<Task, Answer>(startWorker(from, name, undefined), fault, toTransfer))
  return {
    answers: (tasks) => answersOf(tasks, threads, answer),
    close: async () => void (await Promise.all(threads.map((thread) => thread.close()))),
  }
}

async function* answersOf<Task, Answer>(
  tasks: AsyncIterable<Task> | Iterable<Task>,
  threads: readonly Thread<Task, Answer>[],
  here: (task: Task) => Answer | Promise<Answer>,
): AsyncGenerator<Answer> {
  const ahead: Asked<Answer>[] = []
  for await (const task of tasks) {
    const free = threads.find((thread) => thread.isUp() && thread.asked() < ASKED)
    ahead.push(free ? free.answer(task) : { answer: await here(task), isDone: true })
    if (!free) await nextTurn() // what the threads have answered meanwhile arrives
    while (ahead[0]?.isDone || ahead.length >= (threads.length + 1) * ASKED) yield await ahead.shift()!.answer
  }
  for (const { answer } of ahead) yield await answer
}

interface Asked<Answer> {
  readonly answer: Answer | Promise<Answer>
  readonly isDone: boolean
}

interface Thread<Task, Answer> {
  /** It runs, or has ended: before that the asking thread works, since it would wait for the answer. */
  isUp(): boolean
  /** Tasks that it has not answered. */
  asked(): number
  answer(task: Task): Asked<Answer>
  close(): Promise<void>
}

function startThread<Task, Answer>(worker: Worker, fault: ErrorCode, toTransfer: (task: Task) => ArrayBuffer[]): Thread<Task, Answer> {
  const waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = []
  let died: SwornError | undefined
  let isUp = false
  worker.once('online', () => {
    isUp = true
  })
  const fail = (cause?: unknown): void => {
    died ??= new SwornError(fault, 'a thread that reads the ledger ended before it answered', '', { cause })
    for (const asked of waiting.splice(0)) asked.reject(died)
  }
  worker.on('message', (answer: Answer) => waiting.shift()?.resolve(answer))
  worker.once('error', fail)
  worker.once('exit', () => fail())
  return {
    isUp: () => isUp || died !== undefined,
    asked: () => waiting.length,
    answer(task) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      promise.catch(() => undefined) // met where it is waited for
      const asked = { answer: promise, isDone: false }
      if (died) reject(died)
      waiting.push({
        reject,
        resolve(answer) {
          asked.isDone = true
          resolve(answer)
        },
      })
      worker.postMessage(task, toTransfer(task))
      return asked
    },
    close: async () => void (await worker.terminate()),
  }
}
