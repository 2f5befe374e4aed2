/**
 * Does a token count, this once? Signature, revocation, time, audience, policy, place, then the nonce.
 *
 * The nonce is ended only when everything else holds: of a presentation and a revocation of one token, one finds
 * it alive, and the same step tells whether the session is: its revocation is never overtaken. Source: AIP v1alpha2 §5.4.3, §5.6.3.
 * @module
 */
import { bindingFault } from './binding.ts'
import type { Life } from './marks.ts'
import type { Room } from './room.ts'
import { nonceKey, sessionKey } from './session.ts'
import { parseToken, tokenId } from './token.ts'
import type { Claims, Presented, TokenCheck, TokenError, TokenFacts, TokenFault } from './types.ts'

const invalid = (error: TokenError): TokenFault => ({ kind: 'invalid', error })

/** Never rejects: a counter that does not answer is a fault. */
export async function checkToken(room: Room, presented: Presented & { readonly token: string }): Promise<TokenCheck> {
  const claims = await parseToken(presented.token, (kid) => room.keys.verifying(kid)).catch(() => undefined)
  if (!claims) return { fault: invalid('malformed') }
  const facts = factsOf(claims)
  try {
    const fault = (await findRevocation(room, facts)) ?? findFault(room, claims, presented) ?? (await spend(room, facts))
    return fault ? { fault, facts } : { facts }
  } catch {
    return { fault: { kind: 'uncounted' }, facts }
  }
}

function factsOf({ nonce, session_id: sessionId, agent_id: agentId, expires_at: expiresAt }: Claims): TokenFacts {
  return { id: tokenId(nonce), sessionId, agentId, expiresAt }
}

async function findRevocation({ marks }: Room, { id, sessionId }: TokenFacts): Promise<TokenFault | undefined> {
  const [session, revocation] = await marks.look([sessionKey(sessionId), revokedKey(id)])
  return sessionFault(session) ?? (revocation === 'live' ? { kind: 'revoked', revocation: 'token' } : undefined)
}

function sessionFault(session: Life | undefined): TokenFault | undefined {
  if (session === 'live') return undefined
  return session === 'ended' ? { kind: 'revoked', revocation: 'session' } : invalid('session_mismatch')
}

/** Begun when a token is revoked: why, for whoever finds its nonce ended. */
export const revokedKey = (id: string): string => `identity:revoked:${id}`

/** What the claims alone tell. */
function findFault(room: Room, claims: Claims, { sessionId }: Presented): TokenFault | undefined {
  const { policy, rules } = room.governing()
  const nowMs = room.now()
  if (nowMs >= Date.parse(claims.expires_at)) return invalid('token_expired')
  if (nowMs + rules.clockSkewMs < Date.parse(claims.issued_at)) return invalid('malformed')
  const audience = claims.aud === rules.audience ? undefined : invalid('audience_mismatch')
  const changed = isGoverned(room, claims) ? undefined : invalid('policy_changed')
  const fault = policy.profile === 'strict' ? (audience ?? changed) : (changed ?? audience)
  if (fault) return fault
  const misplaced = bindingFault(rules.binding, claims.binding, room.binding)
  if (misplaced) return invalid(misplaced)
  return sessionId !== undefined && sessionId !== claims.session_id ? invalid('session_mismatch') : undefined
}

function isGoverned({ governing, isRecentPolicy }: Room, { policy_hash }: Claims): boolean {
  const hash = `sha256:${policy_hash}`
  return hash === governing().policy.hash || isRecentPolicy(hash)
}

async function spend({ governing, marks }: Room, { id, sessionId }: TokenFacts): Promise<TokenFault | undefined> {
  const { life, parent } = await marks.endUnder(sessionKey(sessionId), nonceKey(governing().rules.noncePrefix, id))
  return sessionFault(parent) ?? (life === 'live' ? undefined : invalid('replay_detected'))
}
