/** What a child process tells its parent: on its way before the next statement runs, whoever is killed then. @module */
import { writeSync } from 'node:fs'

const nap = new Int32Array(new SharedArrayBuffer(4))

/** Writes all of `text` to stdout; waits while a slow parent leaves the pipe full. */
export function tell(text: string): void {
  for (let rest: Uint8Array = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSome(rest))
}

function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(1, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error // errors of node:fs have a code
    Atomics.wait(nap, 0, 0, 1)
    return 0
  }
}
