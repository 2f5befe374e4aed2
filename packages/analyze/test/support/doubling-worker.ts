/**
 * Answers each number with its double; ends instead at the number 13, as a thread does that has no memory left.
 * @module
 */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (task: number) => {
  if (task === 13) process.exit(1)
  parentPort?.postMessage({ double: 2 * task, byThread: true })
})
