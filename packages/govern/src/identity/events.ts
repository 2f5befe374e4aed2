/**
 * What is recorded about tokens, as plain events. A token is named by its id, a hash; never by its text or nonce.
 * Source: spec events §1 (identity), §2, §3; AIP v1alpha2 §8.4.
 * @module
 */
import type { AuditEvent, ReasonCode, Verdict } from '@sworn/recorder'
import type { Policy } from '../policy/types.ts'
import type { IssuedToken, TokenFacts, TokenFault } from './types.ts'

const REASON_CODES: Readonly<Record<TokenFault['kind'], ReasonCode>> = {
  required: 'identity_missing',
  misplaced: 'identity_invalid',
  invalid: 'identity_invalid',
  revoked: 'identity_revoked',
  uncounted: 'audit_unavailable',
}

export const reasonCodeOf = ({ kind }: TokenFault): ReasonCode => REASON_CODES[kind]

export function policyMembers({ name, version, hash }: Policy): Partial<AuditEvent> {
  return { policy_name: name, ...(version !== undefined && { policy_version: version }), policy_hash: hash }
}

/** Before the token is handed to anybody. `old`: the one that it replaces in its session. */
export function issuedEvent(policy: Policy, { id, sessionId, expiresAt }: IssuedToken, old?: IssuedToken): AuditEvent {
  return {
    event_type: old ? 'identity_token_rotated' : 'identity_token_issued',
    agent_id: policy.name,
    session_id: sessionId,
    ...policyMembers(policy),
    token_id: id,
    expires_at: expiresAt,
    ...(old && { old_token_id: old.id, new_token_id: id }),
  }
}

/** @param refusal the verdict that the fault became */
export function rejectedEvent(fault: TokenFault, facts: TokenFacts | undefined, refusal: Verdict): AuditEvent {
  return {
    event_type: 'identity_token_rejected',
    severity: 'warning',
    ...aboutToken(facts),
    reason: refusal.reason,
    reason_code: reasonCodeOf(fault),
    ...(refusal.policyHash !== undefined && { policy_hash: refusal.policyHash }),
    ...(refusal.rpcError && { error_code: refusal.rpcError.code, error_profile: refusal.rpcError.profile }),
    metadata: {
      // not AIP's "token_error": the value of a name with that word is masked
      fault: fault.kind === 'invalid' ? fault.error : fault.kind === 'revoked' ? `${fault.revocation}_revoked` : fault.kind,
    },
  }
}

export function aboutToken(facts: TokenFacts | undefined): Partial<AuditEvent> {
  if (!facts) return {}
  const { id, sessionId, agentId, expiresAt } = facts
  return { agent_id: agentId, session_id: sessionId, token_id: id, expires_at: expiresAt }
}

export interface Revocation {
  readonly target: { readonly session: string } | { readonly tokenId: string }
  /** Who asked for it. */
  readonly by: string
  readonly reason?: string
}

export function revokedEvent({ target, by, reason }: Revocation): AuditEvent {
  return {
    event_type: 'identity_token_revoked',
    severity: 'warning',
    user: by,
    ...('session' in target ? { session_id: target.session } : { token_id: target.tokenId }),
    reason: reason ?? 'Revoked',
    reason_code: 'identity_revoked',
    metadata: { revocation_type: 'session' in target ? 'session' : 'token' },
  }
}
