/**
 * Identity: the words that issuing, checking and answering share.
 *
 * A token is presented once. What is told about it outside is its id, a hash: neither the token nor its nonce
 * appears in an event, an error or a log. Source: spec policy §6.1, §6.2 step 1; AIP v1alpha2 §5.
 * @module
 */
export const ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'RS256'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** `spec.identity`, read: times in milliseconds. Present only when it is enabled. */
export interface IdentityRules {
  readonly tokenTtlMs: number
  /** 0: a token is renewed only when it was presented or expires. */
  readonly rotationMs: number
  readonly requireToken: boolean
  readonly binding: 'process' | 'policy' | 'strict'
  readonly transitionGraceMs: number
  readonly audience: string
  readonly clockSkewMs: number
  readonly noncePrefix: string
  readonly keys: KeyRules
}

export interface KeyRules {
  readonly algorithm: Algorithm
  readonly source: 'generate' | 'file'
  /** The PEM file, when `source` is file. */
  readonly path?: string
  readonly periodMs: number
  /** How long a key is published after its period, beyond the longest life of a token. */
  readonly graceMs: number
}

/** Where a token was issued, or is presented. `instance` tells two processes apart that had one number. */
export interface Binding {
  readonly process_id: number
  readonly instance: string
  readonly policy_path: string
  readonly hostname: string
}

/** What is signed. Members and their names are AIP's; `iat` and `exp` are for readers of plain JWTs. */
export interface Claims {
  readonly version: 'aip/v1alpha2'
  readonly aud: string
  /** 64 hex characters. */
  readonly policy_hash: string
  readonly session_id: string
  readonly agent_id: string
  readonly issued_at: string
  readonly expires_at: string
  /** 32 hex characters. */
  readonly nonce: string
  readonly binding: Binding
  readonly iat: number
  readonly exp: number
}

/** A token as its holder gets it. `text` is a secret. */
export interface IssuedToken {
  readonly text: string
  /** `sha256:` and hex: what the record calls the token. */
  readonly id: string
  readonly sessionId: string
  readonly expiresAt: string
  readonly claims: Claims
}

/** AIP's `token_error`. */
export type TokenError =
  | 'token_expired'
  | 'policy_changed'
  | 'session_mismatch'
  | 'binding_mismatch'
  | 'replay_detected'
  | 'audience_mismatch'
  | 'malformed'

/** Why a token does not count. `misplaced`: it came in a body. `uncounted`: the counter of nonces did not answer. */
export type TokenFault =
  | { readonly kind: 'required' }
  | { readonly kind: 'misplaced' }
  | { readonly kind: 'invalid'; readonly error: TokenError }
  | { readonly kind: 'revoked'; readonly revocation: 'session' | 'token' }
  | { readonly kind: 'uncounted' }

/** What a token with a good signature says. */
export interface TokenFacts {
  readonly id: string
  readonly sessionId: string
  readonly agentId: string
  readonly expiresAt: string
}

/** `facts` are absent when there is no token, or none of ours. */
export interface TokenCheck {
  /** Absent: the token counts, this once. */
  readonly fault?: TokenFault
  readonly facts?: TokenFacts
}

/** What is presented with a call. */
export interface Presented {
  /** Absent, null or empty: none. Hostile input. */
  readonly token?: string | null | undefined
  /** A token came where none is taken: in a body. */
  readonly misplaced?: boolean
  /** The session that the call belongs to, when the caller knows it. */
  readonly sessionId?: string
}
