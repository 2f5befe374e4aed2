/** A directory of roles, a gate on it, and counters that behave as the appender's. @module */
import type { Action, Reservation, Reserve, ReserveFn } from '@sworn/recorder'
import { createGate, type GateOptions } from '../../src/index.ts'
import { loadRoles } from '../../src/roles/index.ts'
import { emptyDisk } from './make.ts'

export const ROLES = `
roles:
  analyst:
    allowed_tools: [read, grep, 'list_*', bash]
    blocked_tools: [list_secrets]
    execution_mode: autonomous
    token_budget_daily: 3
    allowed_paths: ['{{project_path}}/**', /tmp/**]
    blocked_paths: ['**/secrets/**', '**/.env*']
  lead:
    allowed_tools: [all]
    blocked_tools: [format_disk]
    execution_mode: supervised
    human_approval: {required_for: [bash, write], auto_approve: [read, edit]}
    budgets: unlimited
    allowed_paths: ['**']
    blocked_paths: ['**/secrets/**']
    bash_overrides:
      additional_blocked: ['deploy', 'curl.*\\\\|.*sh']
      additional_allowed: ['terraform\\s+plan']
  admin:
    allowed_tools: [all]
    execution_mode: autonomous
    token_budget_daily: -1
    allowed_paths: ['**']
  auditor:
    allowed_tools: [read]
    execution_mode: dry_run
    budgets: {calls: {session: 1}}
    allowed_paths: ['**']
users:
  ada: {role: analyst, org_unit: research}
  bob: {role: lead}
  cem: {role: admin}
  dan: {role: auditor}
  eve: {role: ghost}
`

export function directoryOf(text = ROLES) {
  return loadRoles({ text, name: 'roles.yaml' })
}

/** Counters of one ledger, for several gates. A turn of the event loop passes before the answer, as over a socket. */
export function sharedCounters(): ReserveFn {
  const used = new Map<string, number>()
  return async (step: Reserve): Promise<Reservation> => {
    await Promise.resolve()
    const steps = [step, ...(step.also ?? [])]
    const before = steps.map(({ key }) => used.get(key) ?? 0)
    const refused = steps.findIndex(({ amount, limit }, i) => (amount === 0 ? before[i]! >= limit : before[i]! + amount > limit))
    if (refused < 0) for (const { key, amount } of steps) used.set(key, (used.get(key) ?? 0) + amount)
    return { granted: refused < 0, retryAfterMs: refused < 0 ? 0 : Number.MAX_SAFE_INTEGER, used: before, ...(refused >= 0 && { refused }) }
  }
}

export function roleGate(text = ROLES, options: Partial<GateOptions> = {}) {
  return createGate({
    policy: undefined,
    platform: emptyDisk,
    reserve: sharedCounters(),
    clock: () => Date.UTC(2026, 6, 28),
    roles: { directory: directoryOf(text) },
    ...options,
  })
}

export function callOf(user: string, name: string, input: unknown = {}, session = 's-1'): Action {
  return { kind: 'tool', name, input, ids: { user, session } }
}
