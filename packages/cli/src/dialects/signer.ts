/**
 * A private key in a PEM file as a signer of a dialect: Ed25519 or P-256.
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { resolve } from 'node:path'
import type { DialectSigner } from '@sworn/dialects'
import { readTextFile } from '@sworn/recorder/reading'
import { SwornError, toHex } from '@sworn/verify'

/** Order of the P-256 group: a signature with s in its lower half has no second form. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** @throws SwornError KEY_INVALID for anything but such a key; the message never quotes the file */
export function readSigner(file: string, cwd: string): DialectSigner {
  const key = parsePrivateKey(readTextFile(resolve(cwd, file)) ?? '')
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  if (key.asymmetricKeyType === 'ed25519') {
    return { algorithm: 'Ed25519', publicKey: new Uint8Array(spki.subarray(-32)), sign: (message) => sign(null, message, key) }
  }
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  if (!isP256) throw refuse()
  const signLow = (message: Uint8Array) => toLowS(sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }))
  return { algorithm: 'ES256', publicKey: new Uint8Array(spki.subarray(-64)), sign: signLow }
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw refuse() // no cause: it may quote the key
  }
}

function toLowS(signature: Buffer): Uint8Array {
  const s = BigInt(`0x${toHex(signature.subarray(32))}`)
  const low = s > P256_ORDER / 2n ? P256_ORDER - s : s
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(low.toString(16).padStart(64, '0'), 'hex')])
}

function refuse(): SwornError {
  return new SwornError('KEY_INVALID', 'an Ed25519 or P-256 private key as PEM was expected', '--sign-key')
}
