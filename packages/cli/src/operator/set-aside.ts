/**
 * Goes on after a FATAL verdict: the old ledger is set aside untouched, and its path is free for a new one.
 *
 * Nothing is deleted; the row in ledgers.json moves with the ledger, so that it still verifies as known.
 * @module
 */
import { existsSync, realpathSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readTextFile } from '@sworn/recorder'
import { replaceFile } from '../clients/originals.ts'
import { findKnown, type KnownLedger, readKnownLedgers } from '../reading/trusted-ledgers.ts'

export interface SetAside {
  /** Where it lies now; undefined when nothing was there. */
  readonly path: string | undefined
  readonly known: KnownLedger | undefined
}

/**
 * @param path absolute; a directory or a `.jsonl` file
 * @param stamp makes the new name: `<path>.<stamp>`
 */
export function setAside(path: string, state: string, stamp: string): SetAside {
  const real = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
  const known = findKnown(readKnownLedgers(state), real, {})
  const moved = `${real}.${stamp}`
  if (known) moveRow(state, real, moved)
  if (existsSync(`${real}.ledger`)) renameSync(`${real}.ledger`, `${moved}.ledger`)
  if (!existsSync(real)) return { path: undefined, known }
  renameSync(real, moved)
  return { path: moved, known }
}

function moveRow(state: string, from: string, to: string): void {
  const file = join(state, 'ledgers.json')
  const rows = JSON.parse(readTextFile(file) ?? '{}') as Record<string, unknown> // readKnownLedgers has checked it
  const moved = Object.entries(rows).map(([path, row]) => [path === from ? to : path, row])
  replaceFile(file, `${JSON.stringify(Object.fromEntries(moved), null, 2)}\n`, 0o600)
}
