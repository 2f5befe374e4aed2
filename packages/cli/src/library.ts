/**
 * `openRecorder`: the library face, in a program that is not ours.
 * @module
 */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Recorder } from '@sworn/recorder'
import { startAgain } from './frame/start-again.ts'
import { type OpenOptions, type OpenSurroundings, openAll } from './open-recorder.ts'

/** The command line beside this file, in source and in the build. */
const BIN = fileURLToPath(new URL(`./bin${extname(import.meta.url)}`, import.meta.url))

/** A library has no stderr of its own: what went wrong is a warning of the process. */
const LIBRARY: OpenSurroundings = {
  signals: process,
  say: (level, text) => void (level === 'error' && process.emitWarning(text, 'SwornWarning')),
  startRecorder: (ledger) => startAgain(BIN, ['recorder', ledger, '--idle-exit', '60s']),
}

/**
 * Opens the ledger and returns its recorder. Until it is closed, saves of the configuration and the policy are
 * noticed and reloaded; SIGHUP reopens the ledger's file and reloads too.
 *
 * @param options options, or the name of a configuration file
 * @throws SwornError CONFIG_INVALID, LEDGER_* as recovery found; TypeError for an unknown option name
 */
export async function openRecorder(options: OpenOptions | string = {}): Promise<Recorder> {
  return (await openAll(typeof options === 'string' ? { config: options } : options, LIBRARY)).recorder
}
