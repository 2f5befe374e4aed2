/**
 * Who a new ledger is: its name, its keys, and the note over size 0. On disk, outside the ledger, before its first record.
 * @module
 */
import { hash as digest } from 'node:crypto'
import { createFrontier, formatCheckpoint, LABEL } from '@sworn/verify'
import { createKeyFile, type Signer, signNote } from '../signers/signer.ts'
import { advanceSigned } from '../signers/signer-state.ts'
import type { Core, Env, Identity } from './core.ts'
import { replaceFile } from './files.ts'
import { type KeyLayout, keyLayout } from './layout.ts'
import { takeOverKey } from './signing-key.ts'

export interface Created {
  readonly identity: Identity
  readonly keys: KeyLayout
  readonly signer: Signer
  readonly macKey: Uint8Array
  /** Over size 0. */
  readonly note: string
}

/** Makes keys and signer state of a ledger that has no record yet. */
export function createIdentity(env: Env): Created {
  const logId = Buffer.from(env.random(16)).toString('base64url')
  const origin = env.creation.origin ?? `sworn.local/${logId}`
  const keys = keyLayout(env.home, logId)
  const signer = firstSigner(env, keys.epoch(0), origin)
  const macKey = env.random(32)
  replaceFile(env.ops, keys.mac, macKey, { durable: true })
  const note = signNote(formatCheckpoint({ origin, size: 0, root: createFrontier(env.primitives).root() }), [signer])
  advanceSigned(env.ops, keys.signed, note)
  const { hash, recordSignatures } = env.creation
  return { identity: { logId, origin, hash, recordSignatures, vkey: signer.key.vkey }, keys, signer, macKey, note }
}

/** A fresh key, or the operator's own, taken over. */
function firstSigner(env: Env, path: string, origin: string): Signer {
  const { ops, signingKey } = env
  return signingKey === undefined ? createKeyFile(ops, path, origin, env.random(32)) : takeOverKey(env, signingKey, { path, origin })
}

/** What log.open says. */
export function openingMembers({ env, identity, macKey }: Core): Record<string, unknown> {
  return {
    format: LABEL,
    origin: identity.origin,
    log_id: identity.logId,
    hash: identity.hash,
    vkey: identity.vkey,
    record_signatures: identity.recordSignatures,
    ...(env.creation.previousLog && { previous_log: env.creation.previousLog }),
    mac_key_id: digest('sha256', macKey).slice(0, 16), // names the key, tells nothing about it
  }
}
