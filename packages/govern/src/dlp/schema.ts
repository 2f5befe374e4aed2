/** The shape of a policy's `dlp` section. `builtin`, `allow`, `mask`, `action` and `max_scan_ms` are ours; the rest is AIP's. @module */
import { z } from 'zod'
import { DLP_GROUPS } from './scanner.ts'

const SIZE_TEXT = /^([1-9]\d{0,8})\s*(B|KB|MB|GB)?$/i

export { SIZE_TEXT as SIZE }

const scope = z.enum(['request', 'response', 'all'])
const action = z.enum(['warn', 'mask', 'block']).describe('instead of on_request_match, and of masking in responses')
const mask = z.enum(['full', 'partial', 'hash']).describe('partial: the last four characters stay; hash: a keyed hash')
const builtinName = z.enum(['secrets', 'personal', ...DLP_GROUPS.secrets, ...DLP_GROUPS.personal])

const pattern = z.strictObject({
  name: z.string().min(1).max(256),
  regex: z.string().min(1).describe('RE2 syntax, at most 1000 characters'),
  scope: scope.default('all'),
  action: action.optional(),
  mask: mask.optional(),
})

const builtin = z.strictObject({ name: builtinName, scope: scope.default('all'), action: action.optional(), mask: mask.optional() })

export const dlpSchema = z.strictObject({
  enabled: z.boolean().default(true),
  scan_requests: z.boolean().default(false),
  scan_responses: z.boolean().default(true),
  detect_encoding: z.boolean().default(false),
  filter_stderr: z.boolean().default(false).describe('masks what the server writes to stderr'),
  max_scan_size: z.string().regex(SIZE_TEXT).default('1MB').describe('for example 512KB'),
  max_scan_ms: z.int().min(1).max(1500).default(750).describe('after which on_redaction_failure decides'),
  on_request_match: z.enum(['block', 'redact', 'warn']).default('block'),
  on_redaction_failure: z.enum(['block', 'allow_original', 'reject']).default('block'),
  log_original_on_failure: z.literal(false).optional(),
  mask: mask.default('full'),
  allow: z.array(z.string().min(1)).max(1000).default([]).describe('RE2 patterns; what one of them matches whole is no finding'),
  builtin: z
    .array(z.union([builtinName, builtin]))
    .max(200)
    .default([])
    .describe('patterns and groups of patterns that are built in'),
  patterns: z.array(pattern).max(200).default([]),
})

export type DlpDocument = z.infer<typeof dlpSchema>

export const DLP_KEYS: Readonly<Record<string, readonly string[]>> = {
  'spec.dlp': Object.keys(dlpSchema.shape),
  'spec.dlp.patterns': Object.keys(pattern.shape),
  'spec.dlp.builtin': Object.keys(builtin.shape),
}
