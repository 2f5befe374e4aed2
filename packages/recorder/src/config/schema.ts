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
  z.strictObject({
    path: text.describe('Dotted, * for any member.'),
    action: z.literal('commit').describe('A salted commitment stands in the line; its content can be erased by subject.'),
    subject: text.optional().describe('The dotted member that names whose data it is; default user.'),
  }),
])

const destination = z.union([
  text.describe('file: the ledger itself.'),
  z.looseObject({ type: text, path: text.optional().describe('Of type file: the path of the ledger.') }),
])

const sink = z.looseObject({ type: text, path: text.optional(), url: text.optional(), connection: text.optional() })

const days = z.int().min(1).max(36_525)

/** How long at least, in days: SOC 2 one year, HIPAA 45 CFR 164.316(b)(2)(i) six, EU AI Act Art. 19 and 26(6) six months. */
export const FRAMEWORK_DAYS = { soc2: 365, hipaa: 2192, 'eu-ai-act': 183 } as const

const retentionClass = z
  .strictObject({
    events: z.array(text).min(1).optional().describe('Event types or groups; all when absent.'),
    risk: z
      .array(z.enum(['low', 'medium', 'high', 'critical']))
      .min(1)
      .optional()
      .describe('risk_level; all when absent.'),
    framework: z.enum(['soc2', 'hipaa', 'eu-ai-act']).optional().describe('At least 1 year, 6 years, 183 days.'),
    days: days.optional(),
  })
  .refine(({ framework, days }) => framework !== undefined || days !== undefined, 'days or a framework was expected')
  .refine(
    ({ framework, days = 36_525 }) => framework === undefined || days >= FRAMEWORK_DAYS[framework],
    'fewer days than the framework asks for',
  )

const retention = z
  .strictObject({
    classes: z
      .array(retentionClass)
      .max(100)
      .describe('The longest of all classes that an event falls into counts, and retention_days for events of no class.'),
    archive: path.describe(
      'Segments are copied into this directory, each ledger has a folder of its own in it, before they are dropped. Relative to this file.',
    ),
    compress: z.enum(['gzip', 'zstd']).describe('Closed segments are packed.'),
  })
  .partial()

const price = z
  .strictObject({
    input: z.number().min(0),
    output: z.number().min(0),
    cached: z.number().min(0).optional().describe('Input read from a cache; default: as other input.'),
  })
  .describe('US dollars for a million tokens.')

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
    fallback: z
      .enum(['block', 'spool'])
      .describe('What happens to events while nobody records: refused (block), or kept in a file of this process and handed over later.'),
    policy: path.describe('The AgentPolicy file. Relative to this file.'),
    policy_profile: z.enum(['strict', 'aip-compat']).describe('How the policy is read.'),
    policy_keys: z
      .array(path)
      .min(1)
      .max(64)
      .describe('Who may sign the policy, which must then be signed: verifier keys, or files with one or with a PEM public key.'),
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
    prices: z
      .record(text, price)
      .describe(
        'What models cost, by name; a name that ends with * stands for all that begin so. For cost_usd of calls that are seen from inside.',
      ),
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
    retention_days: days.describe(
      'How long events are kept that no class of `retention` keeps longer; `sworn retain` drops older ones. Absent: for ever.',
    ),
    retention: retention.describe('What `sworn retain` keeps, and where the rest goes.'),
    destinations: z.array(destination).describe('file: the ledger itself. Others are sinks: docs/guides/sinks.md.'),
    sinks: z.array(sink).describe('Where entries are delivered: docs/guides/sinks.md.'),
    alerts: z.looseObject({}).describe('Rules that look for what is not normal, and what is run for an alert; see docs/guides/alerts.md.'),
    signing_key: path.describe(
      'Private key of a new ledger: Ed25519, PKCS#8 PEM, mode 0600; made there when absent. Relative to this file.',
    ),
  })
  .partial()

export const fileSchema = z.strictObject({ audit: auditSchema.optional() }).describe('Configuration of sworn')

/** One file's `audit:` block, checked; paths as written. */
export type AuditBlock = z.infer<typeof auditSchema>
export type AuditKey = keyof AuditBlock

/**
 * The JSON Schema that `sworn init` names in what it writes.
 * @param sections of rooms that check theirs more closely
 */
export function configJsonSchema(sections: Partial<Record<AuditKey, z.ZodType>> = {}): Record<string, unknown> {
  const audit = auditSchema.extend(sections).partial().optional()
  return z.toJSONSchema(fileSchema.extend({ audit }).describe('Configuration of sworn')) as Record<string, unknown> // a schema object, by zod's contract
}
