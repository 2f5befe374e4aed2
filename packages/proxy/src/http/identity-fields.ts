/**
 * Identity tokens in header fields: `AIP-Identity-Token` in both directions, or `Authorization: Bearer` as AIP has it.
 *
 * While the policy takes tokens neither leads on to the upstream or comes from it (headers.ts). Hostile input. Source: AIP v1alpha2 §6.2.1.
 * @module
 */
import type { Id } from '../frames/read.ts'
import type { Beside } from '../relay/session-tokens.ts'
import type { Arrival } from './exchange.ts'
import { fieldOf, IDENTITY_FIELD } from './headers.ts'

const BEARER = /^Bearer ([\w-]{1,1024})(\.[\w-]+\.[\w-]+)$/i

/** True for the form of an identity token: a JWT of type `aip+jwt`, whoever signed it. */
export function isIdentityBearer(authorization: string | undefined): boolean {
  const head = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  if (head === undefined) return false
  try {
    return JSON.parse(Buffer.from(head, 'base64url').toString('utf8')).typ === 'aip+jwt'
  } catch {
    return false // no JWT
  }
}

/** What comes and goes with the requests that `find` knows. */
export function besideOf(find: (id: Id) => Arrival | undefined): Beside {
  return {
    find(id) {
      const arrival = find(id)
      return arrival ? { token: tokenOf(arrival), claims: arrival.principal.claims } : {}
    },
    give(id, token) {
      const response = find(id)?.response
      if (response && !response.headersSent && !response.destroyed) response.setHeader(IDENTITY_FIELD, token)
    },
  }
}

/** The field's, else that of its `Authorization`. */
function tokenOf({ request: { headers } }: Arrival): string | undefined {
  const bearer = isIdentityBearer(headers.authorization) ? headers.authorization?.slice('Bearer '.length) : undefined
  return fieldOf(headers, IDENTITY_FIELD.toLowerCase()) ?? bearer
}
