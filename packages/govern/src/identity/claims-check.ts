/**
 * Access tokens of an issuer that the operator trusts: signed JWTs, for roles by claim.
 *
 * Checked against public keys on disk: nothing is fetched. Who issued a token, for whom it is and until when are
 * checked always; an identity token of ours is none. Source: RFC 7519 §4.1, RFC 8725 §3.
 * @module
 */
import { SwornError } from '@sworn/recorder'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const MAX_TOKEN = 8192
const CLOCK_TOLERANCE_S = 30

const publicKey = z.looseObject({ kty: z.enum(['EC', 'OKP', 'RSA']) }).refine((key) => !('d' in key))
const keySet = z.object({ keys: z.array(publicKey).min(1).max(100) })

export interface IssuerRules {
  /** A JWK Set, JSON: public keys only. */
  readonly keys: string
  readonly issuer: string
  /** Who we are, as the issuer says it. */
  readonly audience: string
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** What a token claims, `sub` and `exp` among it; undefined for one that does not count. Hostile input; never rejects. */
export type ClaimsCheck = (token: string) => Promise<Readonly<Record<string, unknown>> | undefined>

/** @param at the option, for messages @throws SwornError KEY_INVALID */
export function createClaimsCheck({ keys, issuer, audience, now = Date.now }: IssuerRules, at: string): ClaimsCheck {
  const set = createLocalJWKSet(parseKeySet(keys, at))
  const expected = { issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'], clockTolerance: CLOCK_TOLERANCE_S }
  return async (token) => {
    if (token.length > MAX_TOKEN) return undefined
    try {
      const { payload, protectedHeader } = await jwtVerify(token, set, { ...expected, currentDate: new Date(now()) })
      return protectedHeader.typ === 'aip+jwt' || typeof payload.sub !== 'string' ? undefined : payload
    } catch {
      return undefined // jose's messages may quote the token
    }
  }
}

function parseKeySet(text: string, at: string): Parameters<typeof createLocalJWKSet>[0] {
  try {
    return keySet.parse(JSON.parse(text))
  } catch {
    throw new SwornError('KEY_INVALID', 'a JWK Set of public keys was expected', at) // no cause: it could quote the file
  }
}
