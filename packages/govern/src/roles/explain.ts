/** Users and roles in words, for `sworn policy check|explain`. Texts come from the file: escape them for a terminal. @module */
import { type Limit, MICROS } from '../budgets/limits.ts'
import type { Directory, Provider, Role } from './types.ts'
import type { Who } from './who.ts'

/** One line per fact. */
export function explainRoles(directory: Directory): readonly string[] {
  const { hash, users, fallback, roles, warnings } = directory
  const byReport = [...roles.values()].flatMap((role) => reportedOnly(role))
  return [
    `roles ${hash}; ${describeProvider(directory.provider)}`,
    ...Array.from(users, ([name, { role, orgUnit }]) => `user ${name}: role ${nameRole(role, roles)}${unit(orgUnit)}`),
    `everybody else: ${fallback ? `role ${nameRole(fallback.role, roles)}${unit(fallback.orgUnit)}` : 'denied'}`,
    ...Array.from(roles.values(), explainRole).flat(),
    ...(byReport.length > 0 ? [`warning: ${byReport.join(', ')}: ${BY_REPORT}`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ]
}

/** Why such a budget may count less than was spent. */
const BY_REPORT = 'tokens and money are counted from what is reported of a call; behind sworn proxy that is _meta of the result, or nothing'

function reportedOnly({ name, limits }: Role): string[] {
  return limits.flatMap(({ measure, scope }) => (measure === 'calls' ? [] : [`roles.${name}.budgets.${measure}.${scope}`]))
}

export function explainWho({ user, role, roleName, orgUnit }: Who): string {
  const named = role ? `role ${role.name}` : roleName === undefined ? 'no role: denied' : `role ${roleName}, which does not exist: denied`
  return `user ${user ?? '(nobody)'}: ${named}${unit(orgUnit)}`
}

function explainRole(role: Role): readonly string[] {
  const budgets = `budgets: ${role.limits.map(describeLimit).join(', ') || 'unlimited'}`
  return [...Object.values(describeRole(role)), budgets].map((fact) => `roles.${role.name}: ${fact}`)
}

/** What the role says at each step of an explanation, in its order. */
export function describeRole(role: Role): Readonly<Record<string, string>> {
  const { allowedTools, blockedTools, allowedPaths, blockedPaths, commands } = role
  return {
    role: `tools ${listed(allowedTools)}; blocked: ${listed(blockedTools)}`,
    command: `dangerous commands: ${commands.dangerous}; commands that need review: ${commands.needsReview}`,
    role_path: `paths ${listed(allowedPaths)}; blocked: ${listed(blockedPaths)}`,
    approval: describeMode(role),
  }
}

function describeMode({ mode, askFor, autoApprove }: Role): string {
  if (mode === 'dry_run') return 'dry_run: nothing is executed'
  if (mode === 'autonomous') return `autonomous; a person is asked before: ${listed(askFor)}`
  return `supervised: a person is asked before every tool but: ${listed(autoApprove)}; always before: ${listed(askFor)}`
}

export function describeLimit({ measure, scope, limit }: Limit): string {
  return `${measure === 'usd' ? `$${limit / MICROS}` : `${limit} ${measure}`} per ${scope}`
}

function describeProvider(provider: Provider): string {
  if (provider.kind === 'local') return 'roles come from the list of users'
  return `roles come from ${provider.kind === 'env' ? 'the variable' : 'the claim of the token'} ${provider.role}`
}

const nameRole = (name: string, roles: Directory['roles']): string => (roles.has(name) ? name : `${name}, which does not exist`)
const unit = (orgUnit: string | undefined): string => (orgUnit === undefined ? '' : `, unit ${orgUnit}`)
const listed = (names: readonly string[]): string => names.join(', ') || 'none'
