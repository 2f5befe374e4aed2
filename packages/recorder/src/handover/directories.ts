/**
 * The directories that sockets live in: made 0700, owner and mode checked.
 *
 * A runtime directory that another user made beforehand would let that user answer in our place;
 * it is refused, never mended. Source: docs/format.md, several processes.
 * @module
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SwornError } from '@sworn/verify'
import { nodeFileOps } from '../ledger/file-ops.ts'
import { makeDirectory } from '../ledger/files.ts'
import type { Places, Platform } from './platform.ts'

/** Where a ledger lies: its path as named, and the directory that holds everything but a named log file. */
export interface LedgerPlace {
  readonly path: string
  readonly root: string
}

/**
 * Makes the directory of a ledger where this is its first creation.
 *
 * @throws SwornError LEDGER_NOT_FOUND when it must exist, LEDGER_DETACHED when a log file stands there without it
 */
export function prepareLedgerDirectory({ path, root }: LedgerPlace, requireExisting: boolean): void {
  if (existsSync(root)) return
  if (root !== path && isNonEmptyFile(path)) throw new SwornError('LEDGER_DETACHED', 'the directory beside the log file is missing', root)
  if (requireExisting) throw new SwornError('LEDGER_NOT_FOUND', 'no ledger is there', root)
  makeLasting(root)
}

function isNonEmptyFile(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.size > 0
}

/** Makes and checks the directory of every socket file outside the ledger. @throws SwornError IO_FAILED, LEDGER_BUSY */
export function prepareSocketDirectories(places: Places, platform: Platform): void {
  if (platform.kind === 'win32') return
  const outside = [places.dataAddress, places.lockAddress].filter((a) => dirname(a) === platform.runtimeDirectory)
  if (outside.length === 0) return
  const directory = made(platform.runtimeDirectory)
  const stat = lstatSync(directory)
  const ours = stat.isDirectory() && (platform.uid === undefined || stat.uid === platform.uid) && (stat.mode & 0o077) === 0
  if (!ours) throw new SwornError('LEDGER_BUSY', 'expected a directory of this user with mode 0700', directory)
}

/** A ledger whose directory a power cut takes away would lose what was promised. */
function makeLasting(directory: string): void {
  try {
    makeDirectory(nodeFileOps, directory)
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the directory cannot be made', directory, { cause })
  }
}

function made(directory: string): string {
  try {
    if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(directory, 0o700) // whatever the umask left
    return directory
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the directory cannot be made', directory, { cause })
  }
}
