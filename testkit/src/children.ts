/**
 * Processes that a test file started do not outlive it, however its tests end: a child that is stopped or waits for
 * its input would keep the file, and the whole run, from ending.
 * @module
 */
import { after } from 'node:test'

/** What can be ended; a `ChildProcess` fits. */
export interface Killable {
  kill(signal: 'SIGKILL'): unknown
}

const started = new Set<Killable>()

function endAll(): void {
  for (const child of started) child.kill('SIGKILL') // reaches a stopped process too
  started.clear()
}

after(endAll)
process.on('exit', endAll)

/** Ends `child` when the tests of this file are over, if it has not ended by then. */
export function endWithTests<T extends Killable>(child: T): T {
  started.add(child)
  return child
}
