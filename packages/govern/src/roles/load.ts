/**
 * Reads users and roles: one file that has both, pi-governance's three, or any mixture.
 *
 * Every role says what it may spend and where it may go: a budget or path list that is left out is an error, so that
 * nothing is unlimited by accident. A user's role need not exist: that user is denied, not the file.
 * @module
 */
import { SwornError } from '@sworn/recorder'
import { type Limits, MEASURES, MICROS, SCOPES } from '../budgets/limits.ts'
import { normalizeName } from '../names.ts'
import { isGoodGlob } from '../paths/role-paths.ts'
import { compilePattern, type Pattern } from '../pattern.ts'
import { hashPolicy } from '../policy/canonical.ts'
import { type ReadFile, readRolesFile } from './read.ts'
import type { BudgetsDocument, RoleDocument, RolesDocument } from './schema.ts'
import type { CommandRules, Directory, ExecutionMode, Membership, Provider, Role, ToolNames } from './types.ts'

export interface LoadRolesOptions {
  /** The text of a file that another one names, relative to that one; undefined when there is none. Absent: naming one is refused. */
  readonly readBeside?: (name: string) => string | undefined
}

const NO_COMMANDS: NonNullable<RoleDocument['commands']> = { allowed: [], blocked: [], dangerous: 'deny', needs_review: 'ask' }

/**
 * @param source `text` as read, at most 1 MiB characters; `name` the file name for messages
 * @throws SwornError POLICY_INVALID at `name:line:column path`
 */
export function loadRoles(source: { text: string; name: string }, options: LoadRolesOptions = {}): Directory {
  const first = readRolesFile(source.text, source.name)
  const { policy, auth, hitl } = first.document
  const rules = readNamed(first, policy?.yaml?.rules_file, ['policy', 'yaml', 'rules_file'], options)
  const users = readNamed(first, auth?.local?.users_file, ['auth', 'local', 'users_file'], options)
  const files = [first, ...(rules ? [rules] : []), ...(users ? [users] : [])]
  const roles = compileRoles(rules ?? first, hitl?.default_mode ?? 'supervised')
  if (roles.size === 0) throw new SwornError('POLICY_INVALID', 'at least one role was expected', (rules ?? first).source.place(['roles']))
  const people = users?.document ?? first.document
  return {
    hash: hashPolicy(files.map(({ source: { value } }) => value)),
    roles,
    users: new Map(Object.entries(people.users ?? {}).map(([name, member]) => [name, toMembership(member)])),
    ...(people.default && { fallback: toMembership(people.default) }),
    provider: toProvider(auth),
    commandTools: new Map(Object.entries(first.document.command_tools ?? {}).map(([name, keys]) => [normalizeName(name, 'strict'), keys])),
    warnings: files.flatMap(({ warnings }) => warnings),
    files: [source.name, ...[policy?.yaml?.rules_file, auth?.local?.users_file].filter((name) => name !== undefined)],
  }
}

function readNamed(
  from: ReadFile,
  name: string | undefined,
  path: readonly string[],
  { readBeside }: LoadRolesOptions,
): ReadFile | undefined {
  if (name === undefined) return undefined
  const text = readBeside?.(name)
  if (text === undefined)
    throw new SwornError('POLICY_INVALID', 'the named file does not exist, or nothing here reads it', from.source.place(path))
  return readRolesFile(text, name)
}

function toMembership({ role, org_unit }: NonNullable<RolesDocument['default']>): Membership {
  return { role, ...(org_unit !== undefined && { orgUnit: org_unit }) }
}

function toProvider(auth: RolesDocument['auth']): Provider {
  if (auth?.provider === 'env') {
    const { user_var = 'SWORN_USER', role_var = 'SWORN_ROLE', org_unit_var = 'SWORN_ORG_UNIT' } = auth.env ?? {}
    return { kind: 'env', user: user_var, role: role_var, orgUnit: org_unit_var }
  }
  if (auth?.provider !== 'token') return { kind: 'local' }
  const { user_claim = 'sub', role_claim = 'role', org_unit_claim = 'org_unit' } = auth.token ?? {}
  return { kind: 'token', user: user_claim, role: role_claim, orgUnit: org_unit_claim }
}

function compileRoles({ document, source }: ReadFile, defaultMode: ExecutionMode): Map<string, Role> {
  return new Map(
    Object.entries(document.roles ?? {}).map(([name, role]) => {
      const refuse = (message: string, ...path: string[]) =>
        new SwornError('POLICY_INVALID', message, source.place(['roles', name, ...path]))
      return [name, compileRole(name, role, defaultMode, refuse)]
    }),
  )
}

type Refuse = (message: string, ...path: string[]) => SwornError

function compileRole(name: string, role: RoleDocument, defaultMode: ExecutionMode, refuse: Refuse): Role {
  for (const key of ['allowed_paths', 'blocked_paths'] as const) {
    if (!role[key].every(isGoodGlob)) throw refuse('a glob without .. and with at most 64 alternatives was expected', key)
  }
  return {
    name,
    allowedTools: toNames(role.allowed_tools),
    blockedTools: toNames(role.blocked_tools),
    mode: role.execution_mode ?? defaultMode,
    askFor: toNames(role.human_approval?.required_for ?? []),
    autoApprove: toNames(role.human_approval?.auto_approve ?? []),
    allowedPaths: role.allowed_paths,
    blockedPaths: role.blocked_paths,
    commands: toCommands(role, refuse),
    limits: toLimits(role, refuse),
  }
}

function toNames(names: readonly string[]): ToolNames {
  return names.map((name) => (name === 'all' ? '*' : normalizeName(name, 'strict')))
}

function toCommands({ commands = NO_COMMANDS, bash_overrides }: RoleDocument, refuse: Refuse): CommandRules {
  const lifted = (bash_overrides?.additional_allowed ?? []).map((text) => {
    const words = text.replace(/\\+s[+*]/g, ' ')
    if (!/^[\w ./-]+$/.test(words))
      throw refuse('a pattern of plain words was expected; see commands.allowed', 'bash_overrides', 'additional_allowed')
    return `${words} **`
  })
  const blockedTexts = (bash_overrides?.additional_blocked ?? []).map((text): { find(text: string): boolean } => {
    const pattern: Pattern | string = compilePattern(text.replaceAll('\\\\', '\\')) // its guide writes two where one is meant
    if (typeof pattern === 'string') throw refuse(pattern, 'bash_overrides', 'additional_blocked')
    return { find: (command) => pattern.matcher(command).find() }
  })
  return {
    allowed: [...commands.allowed, ...lifted],
    blocked: commands.blocked,
    blockedTexts,
    dangerous: commands.dangerous,
    needsReview: commands.needs_review,
  }
}

function toLimits({ budgets, token_budget_daily: calls }: RoleDocument, refuse: Refuse): Limits {
  if (budgets !== undefined && calls !== undefined)
    throw refuse('budgets or token_budget_daily was expected, not both', 'token_budget_daily')
  if (budgets !== undefined) return limitsOf(budgets, refuse)
  if (calls === undefined) throw refuse('budgets was expected: amounts, or unlimited')
  return calls < 0 ? [] : [{ measure: 'calls', scope: 'session', limit: calls }]
}

function limitsOf(budgets: BudgetsDocument, refuse: Refuse): Limits {
  if (budgets === 'unlimited') return []
  const limits = MEASURES.flatMap((measure) =>
    SCOPES.flatMap((scope) => {
      const amount = budgets[measure]?.[scope]
      if (amount === undefined || amount === 'unlimited') return []
      const limit = measure === 'usd' ? Math.round(amount * MICROS) : amount
      if (!Number.isSafeInteger(limit)) throw refuse('a whole number was expected', 'budgets', measure, scope)
      return [{ measure, scope, limit }]
    }),
  )
  const says = MEASURES.some((measure) => Object.keys(budgets[measure] ?? {}).length > 0)
  if (!says) throw refuse('an amount, or unlimited, was expected', 'budgets')
  return limits
}
