/**
 * Tokens as bytes: a signed JWT of AIP's claims, made and read by `jose`.
 *
 * Reading checks form and signature, nothing else. One token has one text: base64url that is not canonical is
 * refused, so that no altered byte of a token is accepted. Source: AIP v1alpha2 §5.3; RFC 7515.
 * @module
 */
import { hash, type KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import { z } from 'zod'
import { ALGORITHMS, type Algorithm, type Claims } from './types.ts'

const TYPE = 'aip+jwt'
const MAX_TOKEN = 8192

export interface SigningKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
}

export interface VerifyingKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly publicKey: KeyObject
}

const time = z.iso.datetime({ precision: 3 })
const claimsSchema = z.strictObject({
  version: z.literal('aip/v1alpha2'),
  aud: z.string().max(1024),
  policy_hash: z.string().regex(/^[0-9a-f]{64}$/),
  session_id: z.uuid(),
  agent_id: z.string().max(256),
  issued_at: time,
  expires_at: time,
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  binding: z.strictObject({
    process_id: z.int().nonnegative(),
    instance: z.uuid(),
    policy_path: z.string().max(4096),
    hostname: z.string().max(512),
  }),
  iat: z.int(),
  exp: z.int(),
})

/** What the record calls a token: `sha256:` and the hex hash of its nonce, which is drawn from 2^128. */
export function tokenId(nonce: string): string {
  return `sha256:${hash('sha256', nonce)}`
}

export async function formatToken(claims: Claims, { kid, algorithm, privateKey }: SigningKey): Promise<string> {
  const payload = Buffer.from(JSON.stringify(claims), 'utf8')
  return new CompactSign(payload).setProtectedHeader({ alg: algorithm, typ: TYPE, kid }).sign(privateKey)
}

/**
 * The claims of a token that one of our keys signed; undefined for anything else. Hostile input; total.
 * @param keyOf the key of that name, while tokens signed with it count
 */
export async function parseToken(text: string, keyOf: (kid: string) => VerifyingKey | undefined): Promise<Claims | undefined> {
  if (text.length > MAX_TOKEN || !isCanonical(text)) return undefined
  try {
    const { payload, protectedHeader } = await compactVerify(text, ({ kid, alg, typ }) => findKey(keyOf, { kid, alg, typ }), {
      algorithms: [...ALGORITHMS],
    })
    if (Object.keys(protectedHeader).length !== 3) return undefined
    const claims = claimsSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)))
    return claims.success ? claims.data : undefined
  } catch {
    return undefined // jose's messages may quote the header
  }
}

function findKey(
  keyOf: (kid: string) => VerifyingKey | undefined,
  { kid, alg, typ }: { kid?: string | undefined; alg?: string | undefined; typ?: string | undefined },
): KeyObject {
  const key = typ === TYPE && typeof kid === 'string' ? keyOf(kid) : undefined
  if (!key || key.algorithm !== alg) throw new TypeError('a key of ours was expected')
  return key.publicKey
}

/** Three parts of base64url, each the only text of its bytes. */
function isCanonical(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 3 && parts.every((part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part)
}
