/**
 * `spec.identity` to rules: durations in milliseconds, and what cannot hold refused. Source: AIP v1alpha2 §3.7.
 * @module
 */
import { parseDuration } from './durations.ts'
import type { IdentityDocument } from './schema.ts'
import type { IdentityRules, KeyRules } from './types.ts'

const HOUR_MS = 3_600_000
const DEFAULT_ROTATION_MS = 240_000

/** What is wrong and at which member of `spec.identity`. */
export type Refuse = (message: string, member: string) => Error

/**
 * @param name `metadata.name`, the audience unless one is set
 * @returns undefined when identity is not enabled
 * @throws what `refuse` makes
 */
export function compileIdentity(document: IdentityDocument, name: string, refuse: Refuse): IdentityRules | undefined {
  const tokenTtlMs = parseDuration(document.token_ttl)
  if (tokenTtlMs < 1000 || tokenTtlMs > HOUR_MS) throw refuse('1s to 1h was expected', 'token_ttl')
  const rotationMs = readRotation(document, tokenTtlMs, refuse)
  if (document.nonce_window !== undefined && parseDuration(document.nonce_window) < tokenTtlMs)
    throw refuse('at least token_ttl was expected', 'nonce_window')
  const transitionGraceMs = parseDuration(document.policy_transition_grace)
  if (transitionGraceMs > tokenTtlMs) throw refuse('at most token_ttl was expected', 'policy_transition_grace')
  const clockSkewMs = parseDuration(document.nonce_storage.clock_skew_tolerance)
  if (clockSkewMs > 300_000) throw refuse('at most 5m was expected', 'nonce_storage.clock_skew_tolerance')
  const audience = document.audience ?? name
  if (document.audience !== undefined && !isAudience(audience, name)) throw refuse('a URI without wildcards was expected', 'audience')
  const keys = readKeys(document.keys, tokenTtlMs, refuse)
  if (!document.enabled) return undefined
  return {
    tokenTtlMs,
    rotationMs,
    requireToken: document.require_token,
    binding: document.session_binding,
    transitionGraceMs,
    audience,
    clockSkewMs,
    noncePrefix: document.nonce_storage.key_prefix,
    keys,
  }
}

/** AIP's default of 4 minutes does not fit below a shorter life: then four fifths of it. */
function readRotation({ rotation_interval }: IdentityDocument, tokenTtlMs: number, refuse: Refuse): number {
  if (rotation_interval === undefined) return Math.min(DEFAULT_ROTATION_MS, Math.floor(tokenTtlMs * 0.8))
  const rotationMs = parseDuration(rotation_interval)
  if (rotationMs >= tokenTtlMs) throw refuse('less than token_ttl was expected', 'rotation_interval')
  return rotationMs
}

function isAudience(audience: string, name: string): boolean {
  return audience === name || (URL.canParse(audience) && !audience.includes('*'))
}

function readKeys(document: IdentityDocument['keys'], tokenTtlMs: number, refuse: Refuse): KeyRules {
  const { signing_algorithm: algorithm, key_source: source, key_path: path } = document
  const periodMs = parseDuration(document.rotation_period)
  if (periodMs < 2 * tokenTtlMs) throw refuse('at least twice token_ttl was expected', 'keys.rotation_period')
  if ((path !== undefined) !== (source === 'file')) throw refuse('key_path goes with key_source file', 'keys.key_path')
  return { algorithm, source, ...(path !== undefined && { path }), periodMs, graceMs: parseDuration(document.grace_period) }
}
