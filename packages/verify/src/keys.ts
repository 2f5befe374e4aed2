/**
 * Verifier keys: `name+ID+base64(type | public key)`.
 *
 * The ID is recomputed on import, and keys under which anything verifies are refused: the small-order
 * points, which OpenSSL accepts, and encodings of y that are not below 2^255-19.
 * Source: C2SP signed-note.md; types 0x01 (Ed25519, logs) and 0x04 (cosignature/v1, witnesses).
 * @module
 */
import { concat, parseBase64, parseHex, toBase64, toHex, utf8 } from './bytes.ts'
import { SwornError } from './errors.ts'
import { sha256 } from './sha256.ts'

export const ED25519 = 0x01
export const COSIGNATURE = 0x04

export interface VerifierKey {
  /** The origin of the log, or the witness's name. No space, no `+`. */
  name: string
  /** The first four bytes of SHA-256(name LF type key), big-endian. */
  id: number
  type: number
  /** 32 bytes. */
  publicKey: Uint8Array
  /** The text form, as `formatVkey` writes it. */
  vkey: string
}

/** y of the points of order 1, 2, 4 and 8, sign bit clear, little-endian hex. */
const SMALL_ORDER_Y = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]

/**
 * Parses a verifier key.
 * @throws SwornError KEY_INVALID when the form, ID, type, length or point is refused
 */
export function parseVkey(s: string): VerifierKey {
  const [name, id, key] = splitVkey(s)
  const bytes = keyBytes(key)
  const type = bytes[0]!
  const publicKey = bytes.subarray(1)
  checkKey(name, type, publicKey)
  if (id !== toHex(keyId(name, type, publicKey))) throw refuse('the key ID does not fit name and key')
  return { name, id: Number.parseInt(id, 16), type, publicKey, vkey: s }
}

/**
 * The text form of a key.
 * @throws SwornError KEY_INVALID when `parseVkey` would refuse it
 */
export function formatVkey(name: string, type: number, publicKey: Uint8Array): string {
  checkKey(name, type, publicKey)
  return `${name}+${toHex(keyId(name, type, publicKey))}+${toBase64(concat(Uint8Array.of(type), publicKey))}`
}

/** True for a key name: not empty, well-formed, no Unicode space, no `+`. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s\u0085+]/u.test(name)
}

function splitVkey(s: string): [string, string, string] {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(s)
  if (!match) throw refuse('name+id+key was expected')
  return [match[1]!, match[2]!, match[3]!]
}

function keyBytes(base64: string): Uint8Array {
  try {
    return parseBase64(base64)
  } catch (cause) {
    throw new SwornError('KEY_INVALID', 'canonical base64 was expected', '', { cause })
  }
}

function keyId(name: string, type: number, publicKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).subarray(0, 4)
}

function checkKey(name: string, type: number, publicKey: Uint8Array): void {
  if (!isKeyName(name)) throw refuse('a key name without space or + was expected')
  if (type !== ED25519 && type !== COSIGNATURE) throw refuse('a key of type 0x01 or 0x04 was expected')
  if (publicKey.length !== 32) throw refuse('a public key of 32 bytes was expected')
  const y = Uint8Array.from(publicKey) // `slice` of a Node Buffer is no copy
  y[31]! &= 0x7f
  if (isAbovePrime(y)) throw refuse('the public key is not a canonical encoding')
  if (SMALL_ORDER_Y.includes(toHex(y))) throw refuse('the public key is a point of small order')
}

/** True when the little-endian y is at least 2^255-19. */
function isAbovePrime(y: Uint8Array): boolean {
  return y[0]! >= 0xed && y[31] === 0x7f && y.subarray(1, 31).every((byte) => byte === 0xff)
}

function refuse(message: string): SwornError {
  return new SwornError('KEY_INVALID', message)
}

/** The ID of a signature line or key from its four bytes. */
export function readId(bytes: Uint8Array): number {
  return Number.parseInt(toHex(bytes.subarray(0, 4)), 16)
}

/** The four bytes of an ID. */
export function idBytes(id: number): Uint8Array {
  return parseHex(id.toString(16).padStart(8, '0'))
}
