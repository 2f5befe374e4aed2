/**
 * Accepts a ledger as it is when the signer's own note is missing (LEDGER_STATE_MISSING).
 *
 * Only a ledger that verifies under the key this user holds is adopted. Its newest checkpoint becomes the
 * signer's high-water mark; what lay beyond it cannot be missed any more. Source: docs/format.md, opening and
 * recovery.
 * @module
 */
import { createPublicKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerFiles } from '@sworn/analyze/reading'
import { adopt } from '@sworn/recorder'
import { ED25519, formatVkey, SwornError } from '@sworn/verify'
import { checkLedger } from '../reading/check.ts'
import { readOpening } from '../reading/opening.ts'
import { refuseHeld } from './holder.ts'

export interface Adopted {
  readonly size: number
  readonly entries: number
}

/**
 * @param state the state directory with `keys/`
 * @throws SwornError LEDGER_BUSY, LEDGER_STATE_MISSING when key or checkpoint are gone, LEDGER_FORK when the ledger
 *   does not hold, USAGE when there is nothing to adopt
 */
export async function adoptState(files: LedgerFiles, state: string, now: number): Promise<Adopted> {
  refuseHeld(files.path)
  const { logId, origin } = await readOpening(files)
  const keys = join(state, 'keys', logId ?? '')
  const key = newestKey(keys)
  if (!logId || !origin || !key) throw new SwornError('LEDGER_STATE_MISSING', 'the key of this ledger is not here', keys)
  if (existsSync(join(keys, 'signed'))) throw new SwornError('USAGE', 'the signer state is there; nothing to adopt', keys)
  const report = await checkLedger(files, { key: readVkey(key, origin), strict: false, now, cwd: '/', state, withoutMemory: true })
  if (!report.levels.signed.holds)
    throw new SwornError('LEDGER_FORK', 'a ledger that verifies up to its checkpoint was expected', files.path)
  return { size: adopt({ path: files.path, home: state }), entries: report.size }
}

/** The key file of the newest epoch; older ones are destroyed when keys rotate. */
function newestKey(directory: string): string | undefined {
  const epochs = existsSync(directory) ? readdirSync(directory).flatMap((name) => /^(\d+)\.pem$/.exec(name)?.[1] ?? []) : []
  return epochs.length === 0 ? undefined : join(directory, `${Math.max(...epochs.map(Number))}.pem`)
}

/** The verifier key of a private key file. */
function readVkey(path: string, origin: string): string {
  const der = createPublicKey(readFileSync(path)).export({ format: 'der', type: 'spki' })
  return formatVkey(origin, ED25519, new Uint8Array(der.subarray(-32)))
}
