/**
 * Public keys as foreign formats and people give them: PEM, base64 of SubjectPublicKeyInfo, JWK, keyrings of these.
 *
 * Only Ed25519 and P-256 are read; the DER is compared with the only header that each can have.
 * Source: RFC 8410 §4, RFC 5480 §2, RFC 7517.
 * @module
 */
import { concat, equalBytes, isJsonObject, type JsonValue, parseBase64, parseHex, parseStrict, SwornError } from '@sworn/verify'
import { fromBase64Url } from './keys.ts'
import type { ForeignKey } from './report.ts'

const ED25519_HEAD = parseHex('302a300506032b6570032100')
const P256_HEAD = parseHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')

/** The bytes of padded base64; undefined for anything else. */
export function fromBase64(value: unknown): Uint8Array | undefined {
  try {
    return typeof value === 'string' ? parseBase64(value) : undefined
  } catch {
    return undefined // not base64
  }
}

/**
 * The keys of a text: a PEM public key, a JWK, or a JSON object of key id -> base64 SPKI, PEM or JWK.
 * @throws SwornError KEY_INVALID when it is none of these
 */
export function parseForeignKeys(source: string): ForeignKey[] {
  const pem = parsePem(source)
  if (pem) return [pem]
  let value: JsonValue
  try {
    value = parseStrict(source)
  } catch {
    throw refuse()
  }
  if (!isJsonObject(value)) throw refuse()
  if (value.kty !== undefined) return [parseJwk(value)]
  return Object.entries(value).map(([id, key]) => ({ ...parseKey(key), id }))
}

function parseKey(value: JsonValue): ForeignKey {
  if (isJsonObject(value)) return parseJwk(value)
  if (typeof value !== 'string') throw refuse()
  return parsePem(value) ?? parseSpki(fromBase64(value))
}

function parsePem(source: string): ForeignKey | undefined {
  const match = /^-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(source.trimStart())
  return match ? parseSpki(fromBase64(match[1]!.replace(/\s/g, ''))) : undefined
}

function parseSpki(der: Uint8Array | undefined): ForeignKey {
  for (const [algorithm, head, length] of [
    ['Ed25519', ED25519_HEAD, 32],
    ['ES256', P256_HEAD, 64],
  ] as const) {
    if (der?.length === head.length + length && equalBytes(der.subarray(0, head.length), head))
      return { algorithm, publicKey: der.subarray(head.length) }
  }
  throw refuse()
}

function parseJwk({ kty, crv, x, y }: Readonly<Record<string, JsonValue>>): ForeignKey {
  const [left, right] = [fromBase64Url(x), fromBase64Url(y)]
  if (kty === 'OKP' && crv === 'Ed25519' && left?.length === 32) return { algorithm: 'Ed25519', publicKey: left }
  if (kty === 'EC' && crv === 'P-256' && left?.length === 32 && right?.length === 32)
    return { algorithm: 'ES256', publicKey: concat(left, right) }
  throw refuse()
}

function refuse(): SwornError {
  return new SwornError('KEY_INVALID', 'an Ed25519 or P-256 public key as PEM, JWK or keyring was expected')
}
