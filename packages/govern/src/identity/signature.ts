/**
 * The signature of a policy: `metadata.signature`, "ed25519:" and base64, over the RFC 8785 bytes of the
 * document without that member. Source: AIP v1alpha2 §3.3.1, §5.2.1.
 * @module
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { SwornError } from '@sworn/recorder'
import { canonicalJson } from '../policy/canonical.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * What is signed, and what `policy_hash` is made of: a signature does not change which policy it is.
 * @param document parsed policy: JSON values only
 */
export function unsignedPolicy(document: Json): Json {
  const { metadata } = document
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata) || !('signature' in metadata)) return document
  const { signature: _signature, ...rest } = metadata
  return { ...document, metadata: rest }
}

/** `ed25519:` and the base64 of 64 bytes. */
export function signPolicy(document: Json, privateKey: KeyObject): string {
  return `ed25519:${sign(null, bytesOf(document), privateKey).toString('base64')}`
}

/** true when one of the keys signed the document. Hostile input; total. */
export function isSignedPolicy(document: Json, signature: unknown, keys: readonly KeyObject[]): boolean {
  const encoded = typeof signature === 'string' ? /^ed25519:([A-Za-z0-9+/]{86}==)$/.exec(signature)?.[1] : undefined
  if (encoded === undefined) return false
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return false // one signature, one text
  const message = bytesOf(document)
  return keys.some((key) => key.asymmetricKeyType === 'ed25519' && verify(null, message, key, bytes))
}

/**
 * The public key that a policy's signature is checked with.
 * @param pem SubjectPublicKeyInfo; `at` its file or option for messages
 * @throws SwornError KEY_INVALID for anything but an Ed25519 public key
 */
export function parsePolicyKey(pem: string, at: string): KeyObject {
  try {
    if (!pem.includes('PRIVATE KEY')) {
      const key = createPublicKey(pem)
      if (key.asymmetricKeyType === 'ed25519') return key
    }
  } catch {
    // the same refusal: node's message could quote the text
  }
  throw new SwornError('KEY_INVALID', 'an Ed25519 public key in PEM was expected', at)
}

const bytesOf = (document: Json) => Buffer.from(canonicalJson(unsignedPolicy(document)), 'utf8')
