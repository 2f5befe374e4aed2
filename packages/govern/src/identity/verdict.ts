/**
 * From a fault of a token to what is recorded and what the client is told. Holds in monitor mode too.
 * Source: spec policy §6.2 step 1, §6.6; AIP v1alpha2 §7.2.
 * @module
 */
import type { Refusal } from '../gate/verdicts.ts'
import { reasonCodeOf } from './events.ts'
import type { TokenError, TokenFault } from './types.ts'

const WORDS: Readonly<Record<TokenError, string>> = {
  token_expired: 'Token expired',
  policy_changed: 'Token was issued for another policy',
  session_mismatch: 'Token belongs to another session',
  binding_mismatch: 'Token is bound to another place',
  replay_detected: 'Token was presented before, or is not known to be unused',
  audience_mismatch: 'Token not valid for this service',
  malformed: 'Token is malformed',
}

const MALFORMED = { token_error: 'malformed' }

export function tokenRefusal(fault: TokenFault): Refusal {
  const reasonCode = reasonCodeOf(fault)
  if (fault.kind === 'required') return refusal('tokenRequired', reasonCode, 'Identity token required for this policy')
  if (fault.kind === 'misplaced') return refusal('tokenInvalid', reasonCode, 'A token is taken in a header field only', MALFORMED)
  if (fault.kind === 'revoked') {
    const reason = fault.revocation === 'session' ? 'Session revoked' : 'Token revoked'
    return refusal('tokenRevoked', reasonCode, reason, { revocation_type: fault.revocation })
  }
  if (fault.kind === 'uncounted') return refusal('forbidden', reasonCode, 'The counter of tokens did not answer')
  const { error } = fault
  return refusal(error === 'audience_mismatch' ? 'audience' : 'tokenInvalid', reasonCode, WORDS[error], { token_error: error })
}

function refusal(rpc: Refusal['rpc'], reasonCode: string, reason: string, data: Readonly<Record<string, string>> = {}): Refusal {
  return { rpc, reasonCode, reason, matchedRule: 'identity', data: { reason, ...data } }
}
