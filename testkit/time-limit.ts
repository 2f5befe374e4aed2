/**
 * The time one test file has, loaded into its process by the runner: a file that something keeps alive is ended with
 * an error. The timer itself keeps nothing alive. `SWORN_TEST_FILE_MS` says how long.
 * @module
 */
import { isMainThread } from 'node:worker_threads'

function giveUp(): void {
  console.error(`the tests of this file did not end within ${process.env.SWORN_TEST_FILE_MS} ms: ${process.argv[1]}`)
  process.exit(1)
}

const limitMs = Number(process.env.SWORN_TEST_FILE_MS)
if (isMainThread && limitMs > 0) setTimeout(giveUp, limitMs).unref()
