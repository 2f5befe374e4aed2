/**
 * What only an operator may decide, about a ledger that is read-only.
 *
 * `previousLog`: what a successor's log.open says of it (`sworn init --reason`; the caller moves the old
 * files aside first). `adopt`: accept the ledger as it is although the signer's state is gone
 * (`sworn keys adopt`); from then on nothing below the adopted size can be missed.
 * @module
 */
import { SwornError, toBase64 } from '@sworn/verify'
import type { SignedCheckpoint } from '../signers/notes.ts'
import { openCheckpoint } from '../signers/notes.ts'
import { advanceSigned, readSigned } from '../signers/signer-state.ts'
import type { Env, PreviousLog } from './core.ts'
import { replaceFile } from './files.ts'
import { copiesThatHold, type Found, findIdentity, newer } from './identity.ts'
import { keyLayout } from './layout.ts'
import { createEnv, type LedgerOptions } from './options.ts'
import { listSegments } from './segments.ts'

/**
 * Reads who the ledger is and the newest checkpoint that holds for it, from inside and outside of it.
 *
 * @throws SwornError LEDGER_NOT_FOUND when no log.open is left, LEDGER_STATE_MISSING when no checkpoint holds
 */
export function previousLog(options: LedgerOptions, reason: string): PreviousLog {
  const env = createEnv(options)
  const found = identityOf(env)
  const { signed } = keyLayout(env.home, found.identity.logId)
  const own = env.ops.stat(signed) ? openCheckpoint(readSigned(env.ops, signed), found.identity.origin, found.epochs) : undefined
  const newest = largest(own ? [own, ...copies(env, found)] : copies(env, found), signed)
  return { origin: found.identity.origin, size: newest.size, root: toBase64(newest.root), checkpoint: newest.note, reason }
}

/**
 * Takes the newest checkpoint in the ledger as the signer's state. Returns its size.
 *
 * @throws SwornError LEDGER_NOT_FOUND, LEDGER_STATE_MISSING when no checkpoint holds or the signing key is gone too,
 *   LEDGER_ROLLBACK or LEDGER_FORK when there is a state and it says otherwise
 */
export function adopt(options: LedgerOptions): number {
  const env = createEnv(options)
  const found = identityOf(env)
  const keys = keyLayout(env.home, found.identity.logId)
  const key = keys.epoch(found.epochs.length - 1)
  if (!env.ops.stat(key)) throw new SwornError('LEDGER_STATE_MISSING', 'the signing key is absent; begin a new ledger', key)
  const newest = largest(copies(env, found), keys.signed)
  advanceSigned(env.ops, keys.signed, newest.note)
  if (!env.ops.stat(keys.mac)) replaceFile(env.ops, keys.mac, env.random(32), { durable: true })
  return newest.size
}

function identityOf(env: Env): Found {
  const found = findIdentity(env, listSegments(env))
  if (!found) throw new SwornError('LEDGER_NOT_FOUND', 'no log.open is left', env.layout.path)
  return found
}

function copies(env: Env, found: Found): SignedCheckpoint[] {
  return copiesThatHold(env, found, [])
}

function largest(notes: readonly SignedCheckpoint[], at: string): SignedCheckpoint {
  const [first, ...rest] = notes
  if (!first) throw new SwornError('LEDGER_STATE_MISSING', 'no checkpoint of this ledger holds', at)
  return rest.reduce(newer, first)
}
