/**
 * Which ledger a command means: PATH, else the configuration in force.
 * @module
 */
import { realpathSync } from 'node:fs'
import type { LoadedConfig, LoadOptions } from '@sworn/recorder'
import { findDirectories, readTextFile } from '@sworn/recorder/reading'
import type { Io } from '../frame/io.ts'
import { rooms } from '../open-delivery.ts'

/** The configuration as this command line sees it. @throws SwornError CONFIG_INVALID */
export async function loadFor(io: Io, flags: NonNullable<LoadOptions['flags']> = {}, file?: string): Promise<LoadedConfig> {
  const { loadConfig, readTrusted } = await import('@sworn/recorder/config') // a command that was given its PATH needs none of it
  const platform = { name: io.platform, env: io.env, homeDirectory: io.homeDirectory }
  const trusted = readTrusted(findDirectories(platform).state)
  const config = await loadConfig({ ...platform, cwd: io.cwd, flags, file, rooms, readText: readTextFile, trusted, realpath: realpathSync })
  for (const refusal of config.refusals) {
    io.say('warn', `${refusal.file} audit.${refusal.key} is not applied: ${refusal.reason} (config_tampered)`)
  }
  return config
}

/** The ledger path: the argument, else the configured one. */
export async function ledgerPath(io: Io, path: string | undefined): Promise<string> {
  return path ?? (await loadFor(io)).values.log_path
}

/** SWORN_HOME: keys and ledgers.json. */
export function stateDirectory(io: Io): string {
  return findDirectories({ name: io.platform, env: io.env, homeDirectory: io.homeDirectory }).state
}
