/**
 * The key that the operator brings (`signing_key`): a PKCS#8 Ed25519 file outside the ledger.
 *
 * A new ledger takes it over as its first key; from then on keys/<log_id>/ is what signs, and the file is the
 * operator's to keep or to destroy. Promise: a ledger never goes on under a key that none of its records names.
 * Source: docs/format.md, "Checkpoints and notes".
 * @module
 */
import { dirname, relative, sep } from 'node:path'
import { SwornError } from '@sworn/verify'
import type { Epoch } from '../signers/notes.ts'
import { createKeyFile, loadKeyFile, type Signer } from '../signers/signer.ts'
import type { Env } from './core.ts'
import { makeDirectory, readFile, replaceFile } from './files.ts'

const AT = 'audit.signing_key'

/**
 * Copies the operator's key to `path`; makes it first when it does not exist.
 *
 * @throws SwornError KEY_INVALID for another kind of key or one that others can read, CONFIG_INVALID inside the ledger
 */
export function takeOverKey(env: Env, file: string, { path, origin }: { path: string; origin: string }): Signer {
  checkPlace(env, file)
  if (!env.ops.stat(file)) createKeyFile(env.ops, file, origin, env.random(32))
  checkMode(env, file)
  loadKeyFile(env.ops, file, origin) // what is not an Ed25519 key is refused before anything is written
  const pem = readFile(env.ops, file)
  if (!pem) throw new SwornError('KEY_INVALID', 'the key file went away', AT)
  makeDirectory(env.ops, dirname(path))
  replaceFile(env.ops, path, pem, { durable: true })
  return loadKeyFile(env.ops, path, origin)
}

/** An existing ledger: the configured key, where it can be read, is one that the ledger names. @throws SwornError CONFIG_INVALID, KEY_INVALID */
export function checkSigningKey(env: Env, origin: string, epochs: readonly Epoch[]): void {
  const file = env.signingKey
  if (file === undefined || !env.ops.stat(file)) return // taken over when the ledger was made; its owner may have put it away
  checkPlace(env, file)
  checkMode(env, file)
  const { key } = loadKeyFile(env.ops, file, origin)
  if (epochs.some((epoch) => epoch.key.vkey === key.vkey)) return
  throw new SwornError('CONFIG_INVALID', 'this ledger is signed by another key; a key begins with a new ledger', AT)
}

function checkPlace(env: Env, file: string): void {
  const inside = relative(env.layout.root, file)
  if (inside !== '..' && !inside.startsWith(`..${sep}`)) {
    throw new SwornError('CONFIG_INVALID', 'a key outside of the ledger was expected', AT)
  }
}

function checkMode(env: Env, file: string): void {
  const { mode } = env.ops.stat(file) ?? {}
  if (mode !== undefined && (mode & 0o077) !== 0) throw new SwornError('KEY_INVALID', 'a file of mode 0600 was expected', AT)
}
