/**
 * The shape of an AgentPolicy, as far as this version acts on it.
 *
 * Sections that are specified but have no room here yet are in `ABSENT`: they are refused by name,
 * because a policy that is only half obeyed is worse than none. Source: spec policy §6.1.
 * @module
 */
import { z } from 'zod'
import { DLP_KEYS, dlpSchema } from '../dlp/schema.ts'
import { SERVER_KEYS, serverSchema } from '../http/schema.ts'
import { IDENTITY_KEYS, identitySchema } from '../identity/schema.ts'

const name = z.string().min(1).max(256)
const names = z.array(name).max(10_000)

const SCHEMA_HASH = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/i
export const RATE = /^([1-9]\d{0,8})\/(second|sec|s|minute|min|m|hour|hr|h)$/

const toolRule = z.strictObject({
  tool: name,
  action: z.enum(['allow', 'block', 'ask']).default('allow'),
  rate_limit: z.string().regex(RATE).optional().describe('N/second, N/minute or N/hour'),
  strict_args: z.boolean().optional(),
  schema_hash: z
    .string()
    .regex(SCHEMA_HASH)
    .optional()
    .describe('sha256:, sha384: or sha512: and hex, over {name, description, inputSchema}'),
  allow_args: z.record(z.string(), z.string()).optional().describe('argument name to RE2 pattern'),
})

const spec = z.strictObject({
  mode: z.enum(['enforce', 'monitor']).default('enforce'),
  allowed_tools: names.optional(),
  denied_tools: names.optional(),
  allowed_methods: names.optional(),
  denied_methods: names.optional(),
  tool_rules: z.array(toolRule).max(10_000).optional(),
  protected_paths: z.array(z.string().min(1).max(4096)).max(1000).optional(),
  strict_args_default: z.boolean().default(false),
  dlp: dlpSchema.optional(),
  identity: identitySchema.optional(),
  server: serverSchema.optional(),
})

const metadata = z.strictObject({
  name,
  version: z.union([z.string().max(256), z.number()]).optional(),
  owner: z.string().max(256).optional(),
  signature: z.string().max(256).optional().describe('ed25519: and base64'),
})

/** AgentPolicy as this version obeys it; `z.toJSONSchema` of it is what editors use. */
export const policySchema = z.strictObject({
  apiVersion: z.enum(['aip.io/v1alpha1', 'aip.io/v1alpha2', 'aip.io/v1alpha3']),
  kind: z.literal('AgentPolicy'),
  metadata,
  spec,
})

export type PolicyDocument = z.infer<typeof policySchema>
export type RuleDocument = z.infer<typeof toolRule>

/** Where unknown keys are looked up: the parent's path without list positions → its keys. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(policySchema.shape),
  metadata: Object.keys(metadata.shape),
  spec: Object.keys(spec.shape),
  'spec.tool_rules': Object.keys(toolRule.shape),
  ...DLP_KEYS,
  ...IDENTITY_KEYS,
  ...SERVER_KEYS,
}

/** Specified members that nothing here acts on yet: path without list positions. */
export const ABSENT: ReadonlySet<string> = new Set([
  'spec.registry',
  'spec.aat',
  'spec.identity.nonce_storage.address',
  'spec.identity.keys.external',
])

/** The JSON Schema (2020-12) of policySchema, as a user writes it: members with a default are optional. */
export function policyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(policySchema, { io: 'input' })
}
