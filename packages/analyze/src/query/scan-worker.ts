/**
 * The thread that looks through ranges of a file which the asking one holds open.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { lookThrough, type RangeTask } from './scan-range.ts'

let last = Promise.resolve()
parentPort?.on('message', (task: RangeTask) => {
  last = last.then(() => answer(task)) // one after the other: they are answered in the order in which they were asked
})

async function answer(task: RangeTask): Promise<void> {
  const found = await lookThrough(task)
  parentPort?.postMessage(found, [found.seqs.buffer, found.lengths.buffer, found.bytes.buffer])
}
