/**
 * The signer: a name, a public key, and the act of signing. Never the secret itself.
 *
 * The file key lives in `keys/<log_id>/<epoch>.pem`, PKCS#8, mode 0600, outside every ledger.
 * Source: docs/format.md, "Checkpoints and notes".
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { dirname } from 'node:path'
import { formatNote, formatVkey, parseVkey, SwornError, type VerifierKey } from '@sworn/verify'
import type { FileOps } from '../ledger/file-ops.ts'
import { makeDirectory, readFile, replaceFile } from '../ledger/files.ts'

/** Signature type of a log's Ed25519 key in C2SP signed notes. */
const ED25519 = 1
/** DER of a PKCS#8 Ed25519 key up to its 32-byte seed (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

export interface Signer {
  readonly key: VerifierKey
  /** Ed25519 over the bytes; 64 bytes. */
  sign(message: Uint8Array): Uint8Array
}

/** Makes a key from 32 random bytes, stores it durably, and reads it back. @throws Error of the file system */
export function createKeyFile(ops: FileOps, path: string, name: string, seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  makeDirectory(ops, dirname(path))
  replaceFile(ops, path, Buffer.from(key.export({ format: 'pem', type: 'pkcs8' })), { durable: true })
  return loadKeyFile(ops, path, name)
}

/** @throws SwornError LEDGER_STATE_MISSING, KEY_INVALID */
export function loadKeyFile(ops: FileOps, path: string, name: string): Signer {
  const pem = readFile(ops, path)
  if (!pem) throw new SwornError('LEDGER_STATE_MISSING', 'the signing key is absent', path)
  return toSigner(parsePem(pem, path), name)
}

/** Signs `text`, which ends in LF, with each signer in turn. */
export function signNote(text: string, signers: readonly Signer[]): string {
  const message = Buffer.from(text)
  return formatNote(
    text,
    signers.map((signer) => ({ name: signer.key.name, id: signer.key.id, signature: signer.sign(message) })),
  )
}

function parsePem(pem: Buffer, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') throw new SwornError('KEY_INVALID', 'an Ed25519 key was expected', path)
    return key
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('KEY_INVALID', 'the file is not a PKCS#8 key', path, { cause: e })
  }
}

function toSigner(key: KeyObject, name: string): Signer {
  const publicKey = createPublicKey(key).export({ format: 'jwk' })
  const vkey = formatVkey(name, ED25519, new Uint8Array(Buffer.from(publicKey.x ?? '', 'base64url')))
  return { key: parseVkey(vkey), sign: (message) => sign(null, message, key) }
}
