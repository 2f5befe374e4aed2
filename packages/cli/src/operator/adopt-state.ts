/**
 * Accepts a ledger as it is when the signer's own note is missing (LEDGER_STATE_MISSING).
 *
 * Only a ledger that verifies under the key this user holds, up to the checkpoint beside it, is adopted; that
 * checkpoint becomes the signer's high-water mark. What lay beyond it is not known any more: the operator says
 * that it is accepted. Source: docs/format.md, opening and recovery.
 * @module
 */
import { createPublicKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '@sworn/recorder'
import { ED25519, formatVkey, parseCheckpoint, parseNote, SwornError } from '@sworn/verify'
import { replaceFile } from '../clients/originals.ts'
import { checkLedger, readOpening } from '../reading/check.ts'
import type { LedgerFiles } from '../reading/layout.ts'

export interface Adopted {
  readonly size: number
  readonly entries: number
}

/**
 * @param state the state directory with `keys/`
 * @throws SwornError LEDGER_STATE_MISSING when key or checkpoint are gone, LEDGER_FORK when the ledger does not hold
 */
export async function adoptState(files: LedgerFiles, state: string, now: number): Promise<Adopted> {
  const { logId, origin } = await readOpening(files)
  const keys = join(state, 'keys', logId ?? '')
  const signed = join(keys, 'signed')
  if (!logId || !origin || !existsSync(join(keys, '0.pem')))
    throw new SwornError('LEDGER_STATE_MISSING', 'the key of this ledger is not here', keys)
  if (existsSync(signed)) throw new SwornError('USAGE', 'the signer state is there; nothing to adopt', signed)
  const note = readTextFile(join(files.directory ?? files.path, 'checkpoint'))
  if (note === undefined) throw new SwornError('LEDGER_STATE_MISSING', 'a checkpoint beside the ledger was expected', files.path)
  const { size } = parseCheckpoint(parseNote(note).text)
  const report = await checkLedger(files, { key: readVkey(join(keys, '0.pem'), origin), strict: false, now, cwd: '/', state })
  if (!report.levels.signed.holds || report.levels.signed.size < size) {
    throw new SwornError('LEDGER_FORK', 'a ledger that verifies up to its checkpoint was expected', files.path)
  }
  replaceFile(signed, note, 0o600)
  return { size, entries: report.size }
}

/** The verifier key of a private key file. */
function readVkey(path: string, origin: string): string {
  const der = createPublicKey(readFileSync(path)).export({ format: 'der', type: 'spki' })
  return formatVkey(origin, ED25519, new Uint8Array(der.subarray(-32)))
}
