/**
 * Lines that are printed as verified, because each was.
 *
 * The key is the one that `sworn verify` would trust: `--key`, else this user's for the ledger. After a key
 * transition the key of the newest epoch is trusted only when a whole verification says that it is reached.
 * @module
 */
import type { Found } from '@sworn/analyze'
import type { LedgerFiles } from '@sworn/analyze/reading'
import { type LineCheck, openLineCheck } from '@sworn/analyze/source'
import { parseVkey, SwornError, type VerifierKey } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { checkLedger } from '../reading/check.ts'
import { stateDirectory } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'
import { findKnown, readKey, readKnownLedgers } from '../reading/trusted-ledgers.ts'

/**
 * @param key as given with `--key`
 * @throws SwornError NOTE_UNVERIFIED when nothing here is signed by a key that is trusted; KEY_INVALID
 */
export async function openTrustedCheck(files: LedgerFiles, key: string | undefined, io: Io): Promise<LineCheck> {
  const { directory } = files
  if (directory === undefined) throw new SwornError('NOTE_UNVERIFIED', 'a ledger with its directory was expected', files.path)
  const state = stateDirectory(io)
  const opening = await readOpening(files)
  const known = findKnown(readKnownLedgers(state), files.path, opening)
  const trust = key === undefined ? known && parseVkey(known.vkey) : readKey(key, io.cwd, opening.origin)
  if (!trust) throw new SwornError('NOTE_UNVERIFIED', 'a ledger of this user, or --key, was expected', files.path)
  try {
    return await openLineCheck(directory, [trust])
  } catch (e) {
    if (!SwornError.is(e, 'NOTE_UNVERIFIED')) throw e
    return await openLineCheck(directory, [await newestKey(files, key, io)])
  }
}

/** The key of the newest epoch, where a verification reaches it from the trusted one. */
async function newestKey(files: LedgerFiles, key: string | undefined, io: Io): Promise<VerifierKey> {
  const report = await checkLedger(files, { key, strict: false, now: io.now(), cwd: io.cwd, state: stateDirectory(io), signal: io.signal })
  const { signed } = report.levels
  if (!signed.holds || !signed.known || signed.vkey === undefined)
    throw new SwornError('NOTE_UNVERIFIED', 'a checkpoint signed by a trusted key was expected', 'checkpoint')
  return parseVkey(signed.vkey)
}

/**
 * Passes on lines that are verified.
 * @throws SwornError PROOF_INVALID at the first line that is not what was signed
 */
export async function* onlyVerified(found: AsyncIterable<Found>, check: LineCheck): AsyncGenerator<Found> {
  for await (const one of found) {
    if (!check.verify(one.line)) throw new SwornError('PROOF_INVALID', 'an entry that the checkpoint covers was expected', `seq=${one.seq}`)
    yield one
  }
}
