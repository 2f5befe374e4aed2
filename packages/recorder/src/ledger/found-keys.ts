/**
 * The keys of a ledger that was looked at: those that signed so far, and the one that signs from here on.
 * @module
 */
import { asText, SwornError } from '@sworn/verify'
import { type Epoch, extendEpochs } from '../signers/notes.ts'
import { loadKeyFile, type Signer } from '../signers/signer.ts'
import type { Core, Env } from './core.ts'
import { readFile } from './files.ts'
import type { Followed } from './follow.ts'
import type { Found } from './identity.ts'
import { type KeyLayout, keyLayout } from './layout.ts'
import { checkSigningKey } from './signing-key.ts'

/** @throws SwornError LEDGER_STATE_MISSING, CONFIG_INVALID, KEY_INVALID */
export function findKeys(env: Env, found: Found, followed: Followed): Pick<Core, 'keys' | 'macKey' | 'epochs' | 'signer'> {
  const { logId, origin } = found.identity
  const keys = keyLayout(env.home, logId)
  const epochs = allEpochs(found, followed)
  checkSigningKey(env, origin, epochs)
  const macKey = readFile(env.ops, keys.mac) ?? missingMac(keys.mac)
  return { keys, macKey, epochs, signer: currentSigner(env, keys, origin, epochs) }
}

function missingMac(path: string): never {
  throw new SwornError('LEDGER_STATE_MISSING', 'the key of the keyed hashes is absent', path)
}

function allEpochs(found: Found, followed: Followed): readonly Epoch[] {
  return followed.reserved
    .filter((record) => record.type === 'log.key_transition' && !found.kept.has(record.seq))
    .reduce((epochs, record) => extendEpochs(epochs, asText(record.members.note), record.seq), found.epochs)
}

function currentSigner(env: Env, keys: KeyLayout, origin: string, epochs: readonly Epoch[]): Signer {
  const path = keys.epoch(epochs.length - 1)
  if (!env.ops.stat(path) && env.ops.stat(keys.pending)) env.ops.rename(keys.pending, path)
  const signer = loadKeyFile(env.ops, path, origin)
  if (signer.key.vkey === epochs.at(-1)?.key.vkey) return signer
  throw new SwornError('LEDGER_STATE_MISSING', 'the signing key is not the one the ledger names', path)
}
