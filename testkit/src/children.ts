/**
 * Processes that a test file started do not outlive it, however its tests end: a child that is stopped or waits for
 * its input would keep the file, and the whole run, from ending. How one is stopped for a while.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { after } from 'node:test'
import { setImmediate } from 'node:timers/promises'

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

/** Stops a process until its SIGCONT; resolves when none of its threads runs any more. Linux. */
export async function pause({ process: child }: { readonly process: ChildProcess }): Promise<void> {
  child.kill('SIGSTOP')
  const tasks = `/proc/${child.pid}/task`
  const runs = (task: string) => !/\) [Tt] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'))
  while (readdirSync(tasks).some(runs)) await setImmediate()
}
