/**
 * What is known of a ledger without opening it: what lies in the state directory of this user.
 * @module
 */
import { hash } from 'node:crypto'
import { resolve } from 'node:path'
import { parseVkey } from '@sworn/verify'
import type { LedgerInfo } from '../port/types.ts'
import { nodeFileOps } from './file-ops.ts'
import { readFile } from './files.ts'
import { keyLayout, ledgerLayout } from './layout.ts'
import { readLedgers } from './ledgers-index.ts'

/**
 * Of a ledger that this user never opened, the `logId` is a stand-in made from its path, `origin` is empty and the key is absent.
 *
 * @param home SWORN_HOME
 * @throws SwornError IO_FAILED when the state cannot be read
 */
export function findKnownLedger(path: string, home: string): LedgerInfo {
  const full = findPath(path)
  const known = readLedgers(nodeFileOps, home).get(full)
  if (!known) return { logId: `unknown-${hash('sha256', full).slice(0, 14)}`, origin: '', path: full }
  const macKey = readFile(nodeFileOps, keyLayout(home, known.log_id).mac)
  return { logId: known.log_id, origin: parseVkey(known.vkey).name, path: full, ...(macKey && { macKey }) }
}

/** As the trust store knows it, where this user may look. */
function findPath(path: string): string {
  try {
    return ledgerLayout(nodeFileOps, path).path
  } catch {
    return resolve(path)
  }
}
