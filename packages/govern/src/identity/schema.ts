/**
 * The shape of `spec.identity`, as far as it is acted on. Source: spec policy §6.1; AIP v1alpha2 §3.7, §5.8.
 *
 * Nonces are counted at the ledger's appender, so no other `nonce_storage` is taken; keys of a KMS are not either.
 * @module
 */
import { z } from 'zod'
import { DURATION } from './durations.ts'
import { ALGORITHMS } from './types.ts'

export const duration = z.string().regex(DURATION)

/** The path of an endpoint. */
export const endpointPath = z
  .string()
  .regex(/^\/[\w./~-]{0,199}$/)
  .describe('/path')

const nonceStorage = z.strictObject({
  type: z.literal('memory').default('memory'),
  key_prefix: z.string().max(64).default('aip:nonce:'),
  clock_skew_tolerance: duration.default('30s'),
})

const keys = z.strictObject({
  signing_algorithm: z.enum(ALGORITHMS).default('ES256'),
  key_source: z.enum(['generate', 'file']).default('generate'),
  key_path: z.string().min(1).max(4096).optional(),
  rotation_period: duration.default('7d'),
  grace_period: duration.default('0s'),
  jwks_endpoint: endpointPath.optional(),
})

export const identitySchema = z.strictObject({
  enabled: z.boolean().default(false),
  token_ttl: duration.default('5m').describe('for example 5m, at most 1h'),
  rotation_interval: duration.optional().describe('less than token_ttl; 0s switches rotation off'),
  require_token: z.boolean().default(false),
  session_binding: z.enum(['process', 'policy', 'strict']).default('process'),
  nonce_window: duration.optional().describe('at least token_ttl'),
  policy_transition_grace: duration.default('0s'),
  audience: z.string().min(1).max(1024).optional(),
  nonce_storage: nonceStorage.prefault({}),
  keys: keys.prefault({}),
})

export type IdentityDocument = z.infer<typeof identitySchema>

export const IDENTITY_KEYS: Readonly<Record<string, readonly string[]>> = {
  'spec.identity': Object.keys(identitySchema.shape),
  'spec.identity.nonce_storage': Object.keys(nonceStorage.shape),
  'spec.identity.keys': Object.keys(keys.shape),
}
