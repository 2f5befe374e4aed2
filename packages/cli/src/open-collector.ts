/**
 * The collector of `sworn serve --mirrors`: loaded only there.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CollectorOptions } from '@sworn/deliver'
import { acquireDelivery } from '@sworn/recorder/reading'
import type { Room, Token } from '@sworn/server'
import { parseVkey, SwornError } from '@sworn/verify'
import type { Io } from './frame/io.ts'
import type { Opened } from './open-recorder.ts'
import { isPostgres, showPostgres } from './reading/check-postgres.ts'

export interface OpenCollector extends Room {
  close(): Promise<void>
}

/** Where mirrors are kept: a folder, which is made before anything is opened, or a database. */
export interface MirrorPlace {
  /** An absolute path, or a DSN; that is never repeated. */
  readonly at: string
  /** For people. */
  readonly shown: string
  /** Verifier keys of the ledgers that are taken; empty: any. */
  readonly keys: readonly string[]
}

/** @throws SwornError IO_FAILED when the folder cannot be made, USAGE for a DSN that is none, KEY_INVALID */
export function makeMirrors(text: string, cwd: string, keys: readonly string[] = []): MirrorPlace {
  for (const key of keys) parseVkey(key) // said before anything is made
  if (isPostgres(text)) return { at: text, shown: showPostgres(text), keys }
  const directory = resolve(cwd, text)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return { at: directory, shown: directory, keys }
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'a folder for the mirrors was expected', directory, { cause })
  }
}

interface Stores extends Pick<CollectorOptions, 'storeOf'> {
  close(): Promise<void>
}

/** @throws SwornError LEDGER_BUSY when another process has these mirrors; DRIVER_MISSING, IO_FAILED */
async function openStores({ at }: MirrorPlace): Promise<Stores> {
  const { fileStore, openPostgresMirrors } = await import('@sworn/deliver')
  if (isPostgres(at)) return await openPostgresMirrors({ connection: at })
  const lock = await acquireDelivery(at) // of mirrors, as of what is delivered, one process takes care
  if (lock === undefined) throw new SwornError('LEDGER_BUSY', 'another process keeps these mirrors', at)
  return { storeOf: (logId) => fileStore(join(at, logId)), close: () => lock.release() }
}

/** @throws SwornError as `openStores`; KEY_INVALID, IO_FAILED */
export async function openCollector(place: MirrorPlace, opened: Opened, tokens: readonly Token[], io: Io): Promise<OpenCollector> {
  const { createCollector, openCosigner } = await import('@sworn/deliver')
  const cosigner = openCosigner(opened.config.directories.state)
  const { storeOf, close } = await openStores(place)
  io.say('info', `collecting into ${place.shown}; its cosignatures are by ${cosigner.key.vkey}`)
  const { keys } = place
  if (keys.length === 0) io.say('info', 'the key that a first line names is believed; --mirror-key names those that are expected')
  const route = createCollector({ storeOf, cosigner, tokens, keys, now: io.now, record: (event) => opened.recorder.record(event) })
  return { endpoint: 'mirrors', route, close }
}
