/**
 * The shape of `sworn.yaml`: one `audit:` block.
 *
 * It reads the keys of the founding documents as they stand (Gantz, pi-governance, AIP). A key whose room
 * this version does not have is known here so that it can be refused by name; none is ignored.
 * @module
 */
import { z } from 'zod'

export const EVENT_GROUPS = [
  'tool_execution',
  'authentication',
  'authorization',
  'errors',
  'model_calls',
  'data',
  'identity',
  'config',
] as const

const text = z.string().min(1).max(4096)

/** What the operating system takes. */
const path = text.regex(/^[^\0]*$/)

const redactRule = z.union([
  text.describe('A member name; its words are matched in camelCase, snake_case and kebab-case.'),
  z.strictObject({ path: text.describe('Dotted, * for any member.'), action: z.enum(['mask', 'hash', 'drop']) }),
])

const destination = z.union([
  text.describe('file: the ledger itself.'),
  z.looseObject({ type: text, path: text.optional().describe('Of type file: the path of the ledger.') }),
])

const sink = z.looseObject({ type: text, path: text.optional(), url: text.optional(), connection: text.optional() })

export const auditSchema = z
  .strictObject({
    enabled: z.boolean().describe('false: nothing is recorded.'),
    log_path: path.describe('The ledger: a directory, or a .jsonl file. Relative to this file.'),
    log_level: z.enum(['debug', 'info', 'warn', 'warning', 'error', 'critical']).describe('Events below this severity are dropped.'),
    events: z
      .array(text)
      .min(1)
      .describe(`Event types, or the groups ${EVENT_GROUPS.join(', ')}.`),
    redact: z.array(redactRule).describe('Names whose values are never recorded, besides the default list.'),
    signing: z
      .union([z.boolean(), z.enum(['checkpoint', 'record'])])
      .describe('checkpoint (true): each checkpoint; record: each entry too.'),
    hash: z.enum(['sha256', 'sha3-256']).describe('Hash of a new ledger.'),
    on_audit_failure: z.enum(['block', 'continue']).describe('What a gated action does when it cannot be recorded.'),
    policy: path.describe('The AgentPolicy file. Relative to this file.'),
    policy_profile: z.enum(['strict', 'aip-compat']).describe('How the policy is read.'),
    roles: path.describe('The file of users, roles and budgets. Relative to this file.'),
    approvals: z
      .strictObject({
        channels: z
          .array(z.enum(['terminal', 'dialog', 'mcp', 'webhook']))
          .describe('Ways to people; default terminal, dialog, and webhook where it is set.'),
        timeout_s: z.int().min(1).max(3600).describe('Nobody answered: denied. Default 60.'),
        webhook: z.strictObject({
          url: text,
          secret: text.describe('whsec_ and base64; better the name of a variable than the secret itself.'),
        }),
      })
      .partial()
      .describe('Who is asked when the policy says `ask`.'),
    user: text.describe('Who is acting.'),
    agent: z.union([text, z.strictObject({ name: text, version: text.optional(), framework: text.optional(), model: text.optional() })]),
    queue: z.strictObject({ max: z.int().min(1).max(10_000_000).optional(), when_full: z.enum(['wait', 'shed']).optional() }),
    rotate_bytes: z
      .int()
      .min(1_048_576)
      .max(2 ** 31)
      .describe('A segment is closed at this size: 1 MiB to 2 GiB.'),
    shared_file_system: z
      .boolean()
      .describe('true: a ledger on NFS, SMB and the like is not refused. Whoever sets it sees to it that one machine records.'),
    lock: z.array(text).describe('Keys that files of lower trust may not change. Only in user and managed files.'),
    retention_days: z.int().min(1).describe('Not in this version: nothing prunes by age, every entry is kept.'),
    destinations: z.array(destination).describe('Only the file that is the ledger; nothing delivers elsewhere in this version.'),
    sinks: z.array(sink).describe('Not in this version: nothing delivers. Ship the file of the ledger instead.'),
    signing_key: path.describe(
      'Private key of a new ledger: Ed25519, PKCS#8 PEM, mode 0600; made there when absent. Relative to this file.',
    ),
  })
  .partial()

export const fileSchema = z.strictObject({ audit: auditSchema.optional() }).describe('Configuration of sworn')

/** One file's `audit:` block, checked; paths as written. */
export type AuditBlock = z.infer<typeof auditSchema>
export type AuditKey = keyof AuditBlock

/** The JSON Schema that `sworn init` names in what it writes. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fileSchema) as Record<string, unknown> // a schema object, by zod's contract
}
