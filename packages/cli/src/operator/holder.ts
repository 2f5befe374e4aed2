/**
 * Which process holds a ledger, as `log.lock` tells; for people, never for locking.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'

export interface LedgerHolder {
  readonly pid: number
  /** Stopped by a signal or a debugger: it keeps the lock and answers nobody. */
  readonly stopped: boolean
}

/** The living holder of the ledger at `path` (absolute; a directory or a `.jsonl` file). */
export function findHolder(path: string): LedgerHolder | undefined {
  const root = existsSync(`${path}.ledger`) ? `${path}.ledger` : path
  const pid = Number(/"pid":\s*(\d+)/.exec(readTextFile(join(root, 'log.lock')) ?? '')?.[1])
  if (!pid || !isAlive(pid)) return undefined
  const state = /^State:\s+(\S)/m.exec(readTextFile(`/proc/${pid}/status`) ?? '')?.[1]
  return { pid, stopped: state === 'T' || state === 't' }
}

/** @throws SwornError LEDGER_BUSY while somebody records */
export function refuseHeld(path: string): void {
  const holder = findHolder(path)
  if (holder) throw new SwornError('LEDGER_BUSY', `process ${holder.pid} records this ledger; end it first`, path)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM' // there, and another user's
  }
}
