/**
 * Files of a coding agent's own that hold hooks of ours: an agent that could take them out would not be recorded.
 * @module
 */
import { statSync } from 'node:fs'
import { readTextFile } from '@sworn/recorder'
import type { Io } from '../frame/io.ts'
import { mayHoldHooks } from './mark.ts'
import { findAgentSetup } from './setups.ts'

/** @param client its name. @throws SwornError IO_FAILED for a file that is there and cannot be read */
export type FindOwnFiles = (client: string, io: Pick<Io, 'platform' | 'env' | 'homeDirectory' | 'cwd'>) => readonly string[]

export const findOwnFiles: FindOwnFiles = (client, io) => filesOf(client, io).filter((file) => holdsHooks(file, client))

const MAX_KNOWN = 64
/** A file that was written twice within a tick of the file system's clock may look the same: only what has rested is remembered. */
const RESTED_MS = 1000

/** The same, for a process that stays: a file is read again when it is another one, or was saved. */
export function rememberOwnFiles(now: () => number = Date.now): FindOwnFiles {
  const known = new Map<string, { readonly print: string; readonly holds: boolean }>()

  function holds(file: string, client: string): boolean {
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return false
    const key = `${client} ${file}`
    const print = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ')
    const before = known.get(key)
    if (before?.print === print) return before.holds
    const found = holdsHooks(file, client)
    known.delete(key)
    if (known.size >= MAX_KNOWN) known.clear()
    if (now() - Number(stat.ctimeMs) > RESTED_MS) known.set(key, { print, holds: found })
    return found
  }
  return (client, io) => filesOf(client, io).filter((file) => holds(file, client))
}

function filesOf(client: string, io: Parameters<FindOwnFiles>[1]): readonly string[] {
  return Object.values(findAgentSetup(client)?.files(io) ?? {})
}

function holdsHooks(file: string, client: string): boolean {
  return mayHoldHooks(readTextFile(file) ?? '', client)
}
