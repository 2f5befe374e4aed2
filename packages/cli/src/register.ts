/**
 * `node --import sworn/register app.js`: instruments an application that does not know of it.
 *
 * Opens the ledger that configuration and environment name, before the application is loaded, and instruments each SDK
 * when the application loads it. A ledger that cannot be opened ends the process, with 2 or 3 as commands do: nothing
 * runs unrecorded. Worker threads and forks inherit the flag: each has a recorder of its own on the same ledger, and a
 * worker without one ends. The command line itself, which agents and recorders start, is no such application.
 * @module
 */
import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Recorder } from '@sworn/recorder'
import { printFailure } from './frame/failure.ts'
import { createNodeIo } from './frame/node-io.ts'
import { instrument } from './instrument.ts'
import { openRecorderBeside } from './library.ts'

if (!isOwnProgram(process.argv[1])) {
  try {
    const recorder = await openRecorderBeside()
    await instrument(recorder, { find: 'as_loaded' })
    closeAtEnd(recorder)
  } catch (error) {
    process.exit(await printFailure(error, createNodeIo()))
  }
}

/**
 * Closes when the application is over: what it begins when it is told so (`beforeExit`) is recorded too. Closing would have
 * Node tell it once more, so nobody listens any longer by then.
 */
function closeAtEnd(recorder: Recorder): void {
  process.on('beforeExit', function look() {
    process.off('beforeExit', look)
    const idle = countActive()
    setImmediate(() => {
      if (countActive() > idle) return void process.on('beforeExit', look) // it goes on
      process.removeAllListeners('beforeExit')
      void recorder.close()
    })
  })
}

/** What Node may wait for; pipes of stdout and stderr are among it from their first use, so they are used. */
function countActive(): number {
  return process.stdout && process.stderr && process.getActiveResourcesInfo().length
}

function isOwnProgram(entry: string | undefined): boolean {
  try {
    const own = realpathSync(fileURLToPath(new URL('..', import.meta.url)))
    return entry !== undefined && realpathSync(entry).startsWith(own.endsWith(sep) ? own : own + sep)
  } catch {
    return false // `-e` has no file
  }
}
