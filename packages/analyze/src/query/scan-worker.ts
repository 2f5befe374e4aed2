/**
 * The thread that looks through ranges of a file which the asking one holds open.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { createLookThrough, type RangeTask } from './scan-range.ts'

const lookThrough = createLookThrough()
parentPort?.on('message', (task: RangeTask) => {
  const found = lookThrough(task)
  parentPort?.postMessage(found, [found.seqs.buffer, found.lengths.buffer, found.bytes.buffer])
})
