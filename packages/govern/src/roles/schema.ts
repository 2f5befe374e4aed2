/**
 * The shape of the files that name users and roles: pi-governance's `governance-rules.yaml`, `users.yaml` and
 * `governance.yaml`, with our own keys `budgets`, `commands` and `command_tools`.
 *
 * What is known and not acted on stands in `ABSENT` and is refused by name, unless leaving it out weakens nothing:
 * then it stands in `ELSEWHERE` and is a warning. Source: checklist §4 P13 to P16.
 * @module
 */
import { z } from 'zod'
import { MEASURES, SCOPES } from '../budgets/limits.ts'

const name = z.string().min(1).max(256)
const names = z.array(name).max(10_000)
const globs = z.array(z.string().min(1).max(512)).max(1000)
const MAX_LIMIT = 1_000_000_000_000

const limits = z.partialRecord(z.enum(SCOPES), z.union([z.number().min(0).max(MAX_LIMIT), z.literal('unlimited')]))
const budgets = z.union([z.literal('unlimited'), z.partialRecord(z.enum(MEASURES), limits)])

const commands = z.strictObject({
  allowed: names.default([]).describe('Argument patterns that lift needs_review: words, * and a last **.'),
  blocked: names.default([]).describe('Argument patterns that are dangerous. They win.'),
  dangerous: z.enum(['deny', 'ask']).default('deny'),
  needs_review: z.enum(['deny', 'ask', 'allow']).default('ask'),
})

const role = z.strictObject({
  allowed_tools: names.describe('Names, * and ? are wildcards; all for every tool.'),
  blocked_tools: names.default([]).describe('Wins over allowed_tools.'),
  execution_mode: z.enum(['autonomous', 'supervised', 'dry_run']).optional(),
  human_approval: z.strictObject({ required_for: names.default([]), auto_approve: names.default([]) }).optional(),
  allowed_paths: globs,
  blocked_paths: globs.default([]).describe('Wins over allowed_paths.'),
  token_budget_daily: z.int().min(-1).max(MAX_LIMIT).optional().describe('Tool calls a session; -1 is unlimited.'),
  budgets: budgets.optional(),
  bash_overrides: z.strictObject({ additional_blocked: names.default([]), additional_allowed: names.default([]) }).optional(),
  commands: commands.optional(),
  prompt_template: name.optional(),
})

const membership = z.strictObject({ role: name, org_unit: name.optional() })
const variables = z.strictObject({ user_var: name.optional(), role_var: name.optional(), org_unit_var: name.optional() })
const claims = z.strictObject({ user_claim: name.optional(), role_claim: name.optional(), org_unit_claim: name.optional() })

const auth = z.strictObject({
  provider: z.enum(['local', 'env', 'token']).default('local'),
  env: variables.optional(),
  token: claims.optional(),
  local: z.strictObject({ users_file: name.optional() }).optional(),
})

export const rolesSchema = z.strictObject({
  roles: z.record(name, role).optional(),
  users: z.record(name, membership).optional(),
  default: membership.optional(),
  auth: auth.optional(),
  policy: z
    .strictObject({ engine: z.literal('yaml').optional(), yaml: z.strictObject({ rules_file: name.optional() }).optional() })
    .optional(),
  hitl: z.strictObject({ default_mode: z.enum(['autonomous', 'supervised', 'dry_run']).optional() }).optional(),
  command_tools: z.record(name, names).optional().describe('Further tools that run commands, and their arguments.'),
})

export type RolesDocument = z.infer<typeof rolesSchema>
export type RoleDocument = z.infer<typeof role>
export type BudgetsDocument = z.infer<typeof budgets>

/** Where unknown keys are looked up; `*` stands for a name that the file gives. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(rolesSchema.shape),
  'roles.*': Object.keys(role.shape),
  'roles.*.human_approval': ['required_for', 'auto_approve'],
  'roles.*.bash_overrides': ['additional_blocked', 'additional_allowed'],
  'roles.*.commands': Object.keys(commands.shape),
  'roles.*.budgets': MEASURES,
  ...Object.fromEntries(MEASURES.map((measure) => [`roles.*.budgets.${measure}`, SCOPES])),
  'users.*': Object.keys(membership.shape),
  default: Object.keys(membership.shape),
  auth: Object.keys(auth.shape),
  'auth.env': Object.keys(variables.shape),
  'auth.token': Object.keys(claims.shape),
}

/** Weakens a decision when it is left out, and nothing here acts on it. */
export const ABSENT: ReadonlySet<string> = new Set(['org_units', 'dlp', 'policy.oso', 'hitl.approval_channel', 'hitl.webhook', 'auth.oidc'])
/** Belongs to another file or to the client. */
export const ELSEWHERE: ReadonlySet<string> = new Set(['audit', 'templates', 'hitl.timeout_seconds'])
