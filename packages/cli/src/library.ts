/**
 * `openRecorder`: the library face, in a program that is not ours.
 * @module
 */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ledger, LedgerOptions } from '@sworn/analyze'
import type { Recorder } from '@sworn/recorder'
import { askConfigured } from './asking.ts'
import { startAgain } from './frame/start-again.ts'
import { keepAsk, keepGate, keepPrices } from './library-gate.ts'
import { type OpenOptions, type OpenSurroundings, openAll } from './open-recorder.ts'

/** The command line beside this file, in source and in the build. */
const BIN = fileURLToPath(new URL(`./bin${extname(import.meta.url)}`, import.meta.url))

/** A library has no stderr of its own: what went wrong is a warning of the process. */
const LIBRARY: OpenSurroundings = {
  signals: process,
  stdout: process.stdout,
  opensLater: true,
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
  return await open(typeof options === 'string' ? { config: options } : options, LIBRARY)
}

/** As `openRecorder`, in an application that knows nothing of it: SIGHUP ends it, as before, unless it says otherwise itself. */
export function openRecorderBeside(): Promise<Recorder> {
  return open({}, { ...LIBRARY, signals: NO_SIGNALS })
}

const NO_SIGNALS: OpenSurroundings['signals'] = { on() {}, off() {} }

async function open(options: OpenOptions, surroundings: OpenSurroundings): Promise<Recorder> {
  const opened = await openAll(options, surroundings)
  keepGate(opened.recorder, () => opened.gate)
  keepAsk(opened.recorder, askConfigured(opened, { platform: process.platform, env: process.env, cwd: process.cwd(), say: LIBRARY.say }))
  if (opened.config.values.prices) keepPrices(opened.recorder, opened.config.values.prices)
  return opened.recorder
}

/**
 * Opens a ledger to read it, whoever records it: `for await (const { entry } of ledger.query({ decision: 'deny' }))`.
 *
 * @throws SwornError LEDGER_NOT_FOUND, LEDGER_FOREIGN_FILE, KEY_INVALID
 */
export async function openLedger(path: string, options: LedgerOptions = {}): Promise<Ledger> {
  const { openLedgerReader } = await import('@sworn/analyze') // a program that only records loads none of it
  return openLedgerReader(path, options)
}
