/**
 * What the vault asks of cryptography: AES-256-GCM with its tag behind the ciphertext, and HKDF-SHA-256.
 *
 * Source: NIST SP 800-38D, RFC 5869. Wycheproof runs on both.
 * @module
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

const TAG_BYTES = 16

/** @param key 32 bytes; @param iv 12 bytes, never used before with this key. Returns ciphertext ‖ 16-byte tag */
export function seal(key: Uint8Array, iv: Uint8Array, plain: Uint8Array, aad: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** The plain bytes; undefined when key, iv or aad are others, or a byte was changed. */
export function unseal(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Buffer | undefined {
  if (sealed.length < TAG_BYTES) return undefined
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
    cipher.setAAD(aad).setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()])
  } catch {
    return undefined
  }
}

/** HKDF: `bytes` of key material from `key`. */
export function derive(
  key: Uint8Array,
  { salt = new Uint8Array(0), info, bytes }: { salt?: Uint8Array; info: Uint8Array; bytes: number },
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, bytes))
}
