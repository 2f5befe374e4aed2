/**
 * Trusted keys for foreign records: which one a record means, and whether its signature holds.
 *
 * Ed25519 keys of small order and non-canonical ones are refused: under them anything verifies.
 * @module
 */
import { concat, ED25519, formatVkey, SwornError, toHex } from '@sworn/verify'
import type { ForeignKey, ForeignOptions } from './report.ts'

/** The key that a record names: one with that id, else the only one without an id. */
export function findKey(options: ForeignOptions, id: string | undefined, algorithm: ForeignKey['algorithm']): ForeignKey | undefined {
  const fitting = (options.keys ?? []).filter((key) => key.algorithm === algorithm)
  return fitting.find((key) => key.id !== undefined && key.id === id) ?? fitting.find((key) => key.id === undefined)
}

/** True when any key is pinned. */
export function isPinned({ keys = [] }: ForeignOptions): boolean {
  return keys.length > 0
}

/** False for a weak or malformed key too. */
export async function verifySignature(
  { primitives }: ForeignOptions,
  { algorithm, publicKey }: Pick<ForeignKey, 'algorithm' | 'publicKey'>,
  message: Uint8Array,
  signature: Uint8Array | undefined,
): Promise<boolean> {
  if (signature?.length !== 64) return false
  if (algorithm === 'ES256') return publicKey.length === 64 && (await primitives.verifyEs256(publicKey, message, signature))
  return isSoundKey(publicKey) && (await primitives.verifyEd25519(publicKey, message, signature))
}

function isSoundKey(publicKey: Uint8Array): boolean {
  try {
    formatVkey('foreign', ED25519, publicKey)
    return true
  } catch (e) {
    if (SwornError.is(e, 'KEY_INVALID')) return false
    throw e
  }
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** base58 of Bitcoin's alphabet: a `1` for each leading zero byte. */
export function toBase58(bytes: Uint8Array): string {
  let number = BigInt(`0x${toHex(bytes) || '0'}`)
  let digits = ''
  for (; number > 0n; number /= 58n) digits = BASE58[Number(number % 58n)]! + digits
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + digits
}

/** The did:key of an Ed25519 key: multicodec 0xed01 before it, base58. */
export function didKey(publicKey: Uint8Array): string {
  return `did:key:z${toBase58(concat(Uint8Array.of(0xed, 0x01), publicKey))}`
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The bytes of base64url without padding; undefined for anything else. */
export function fromBase64Url(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let held = 0
  let at = 0
  for (const character of text) {
    bits = ((bits << 6) | BASE64URL.indexOf(character)) & 0xffff
    held += 6
    if (held >= 8) bytes[at++] = bits >> (held -= 8)
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : undefined
}
