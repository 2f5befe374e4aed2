/**
 * What the alerter remembers over restarts: `index/alerts.json` beside the ledger.
 *
 * Derived: without it the ledger is read again from its beginning. Replaced whole, by a draft and a rename. It need not
 * be synced: the cursor names an entry by hash, and a state whose entry the ledger does not hold counts for nothing.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Alert } from './alert.ts'
import type { EngineState } from './engine.ts'

/** Where reading goes on: behind the entry `seq` with this hash. */
export interface Cursor {
  readonly seq: number
  readonly entryHash: string
}

export interface AlerterState {
  readonly version: 1
  readonly cursor: Cursor
  readonly engine: EngineState
  /** Found, and not seen in the ledger up to the cursor. */
  readonly pending: readonly Alert[]
  /** Recorded; actions are still to be run for them. */
  readonly due: readonly Alert[]
}

export function statePath(ledgerDirectory: string): string {
  return join(ledgerDirectory, 'index', 'alerts.json')
}

/** Undefined when there is none that can be used. */
export function readState(path: string): AlerterState | undefined {
  try {
    const state: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isState(state) ? state : undefined
  } catch {
    return undefined // not there, or cut off: it is made again
  }
}

/** @throws the file system's error */
export function writeState(path: string, state: AlerterState): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.new`
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600 })
  renameSync(draft, path)
}

export function dropState(path: string): void {
  rmSync(path, { force: true })
}

/** Only this program writes it, in the private directory of the ledger; a file of another version is none. */
function isState(value: unknown): value is AlerterState {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 1 && 'cursor' in value && 'engine' in value
}
