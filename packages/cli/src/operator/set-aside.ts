/**
 * Goes on after a FATAL verdict: the old ledger is set aside untouched, and its path is free for a new one.
 *
 * Nothing is deleted; the row in ledgers.json moves with the ledger, so that it still verifies as known.
 * @module
 */
import { existsSync, realpathSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { previousLog, readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { replaceFile } from '../clients/originals.ts'
import { findKnown, type KnownLedger, readKnownLedgers } from '../reading/trusted-ledgers.ts'
import { refuseHeld } from './holder.ts'

type PreviousLog = ReturnType<typeof previousLog>

export interface SetAside {
  /** Where it lies now; undefined when nothing was there. */
  readonly path: string | undefined
  readonly known: KnownLedger | undefined
  /** What the new ledger's log.open says of it; undefined when its own is gone. */
  readonly previousLog: PreviousLog | undefined
}

/**
 * @param path absolute; a directory or a `.jsonl` file
 * @param stamp makes the new name: `<path>.<stamp>`
 * @param reason goes into the new ledger
 * @throws SwornError LEDGER_BUSY while somebody records
 */
export function setAside(path: string, state: string, stamp: string, reason: string): SetAside {
  refuseHeld(path)
  const previous = findPrevious(path, state, reason)
  const real = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
  const known = findKnown(readKnownLedgers(state), real, {})
  const moved = `${real}.${stamp}`
  if (known) moveRow(state, real, moved)
  if (existsSync(`${real}.ledger`)) renameSync(`${real}.ledger`, `${moved}.ledger`)
  if (!existsSync(real)) return { path: undefined, known, previousLog: previous }
  renameSync(real, moved)
  return { path: moved, known, previousLog: previous }
}

function findPrevious(path: string, state: string, reason: string): PreviousLog | undefined {
  try {
    return previousLog({ path, home: state }, reason)
  } catch (e) {
    if (SwornError.is(e, 'LEDGER_NOT_FOUND') || SwornError.is(e, 'LEDGER_STATE_MISSING')) return undefined
    if (SwornError.is(e, 'LEDGER_FOREIGN_FILE') || SwornError.is(e, 'LEDGER_CORRUPT') || SwornError.is(e, 'LEDGER_FORK')) return undefined
    throw e
  }
}

function moveRow(state: string, from: string, to: string): void {
  const file = join(state, 'ledgers.json')
  const rows = JSON.parse(readTextFile(file) ?? '{}') as Record<string, unknown> // readKnownLedgers has checked it
  const moved = Object.entries(rows).map(([path, row]) => [path === from ? to : path, row])
  replaceFile(file, `${JSON.stringify(Object.fromEntries(moved), null, 2)}\n`, 0o600)
}
