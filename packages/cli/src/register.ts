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
import { printFailure } from './frame/failure.ts'
import { createNodeIo } from './frame/node-io.ts'
import { instrument } from './instrument.ts'
import { openRecorder } from './library.ts'

if (!isOwnProgram(process.argv[1])) {
  try {
    const recorder = await openRecorder()
    await instrument(recorder, { find: 'as_loaded' })
    process.once('beforeExit', () => void recorder.close())
  } catch (error) {
    process.exit(await printFailure(error, createNodeIo()))
  }
}

function isOwnProgram(entry: string | undefined): boolean {
  try {
    const own = realpathSync(fileURLToPath(new URL('..', import.meta.url)))
    return entry !== undefined && realpathSync(entry).startsWith(own.endsWith(sep) ? own : own + sep)
  } catch {
    return false // `-e` has no file
  }
}
