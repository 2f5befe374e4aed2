/**
 * Roles and budgets at the gate: who acts, what that role says, and what the call takes from its budgets.
 *
 * Budgets are taken last, when nothing else refuses; for a call that a person is asked about they are held until the answer.
 * @module
 */
import type { ActionIds, Gate, Meter, Verdict } from '@sworn/recorder'
import { type Budgets, createBudgets } from '../budgets/budgets.ts'
import { type Limit, MICROS } from '../budgets/limits.ts'
import type { Platform } from '../paths/place.ts'
import { createRoleJudge, type RoleJudge } from '../roles/judge.ts'
import type { Directory, Role } from '../roles/types.ts'
import { findWho, type Who } from '../roles/who.ts'
import { deny, type Refusal, type Subject } from './verdicts.ts'

export interface RoleOptions {
  readonly directory: Directory
  /** The user of calls that name none. */
  readonly user?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface Roles {
  readonly judge: RoleJudge
  readonly commandTools: Directory['commandTools']
  whoOf(ids: ActionIds): Who
  /** `verdict` with who it is about, and after its budgets. Never rejects. */
  settle(subject: Subject, who: Who, ids: ActionIds, verdict: Verdict): Promise<Verdict>
  readonly charge: NonNullable<Gate['charge']>
  readonly meters: NonNullable<Gate['meters']>
  readonly budget: NonNullable<Gate['budget']>
}

export interface RoleSetup {
  readonly options: RoleOptions
  readonly platform: Platform
  readonly reserve: Parameters<typeof createBudgets>[0]
  /** Unix milliseconds. */
  readonly clock: () => number
}

export function createRoles({ options, platform, reserve, clock }: RoleSetup): Roles {
  const { directory, user, env } = options
  const budgets = createBudgets(reserve, clock)
  const whoOf = (ids: ActionIds) => findWho(directory, { user: ids.user ?? user, ...(env && { env }), claims: ids.claims })
  const payerOf = (ids: ActionIds, who: Who) => ({
    ...(ids.session !== undefined && { session: ids.session }),
    ...(who.user !== undefined && { user: who.user }),
  })
  const limitsOf = ({ role }: Who) => role?.limits ?? []
  return {
    judge: createRoleJudge(directory, platform),
    commandTools: directory.commandTools,
    whoOf,
    settle: async (subject, who, ids, verdict) =>
      withWho(who, await takeBudgets(budgets, subject, { who, payer: payerOf(ids, who) }, verdict)),
    charge(ids, { inputTokens = 0, outputTokens = 0, costUsd = 0 }) {
      const who = whoOf(ids)
      return budgets.charge(limitsOf(who), payerOf(ids, who), { tokens: inputTokens + outputTokens, usd: costUsd })
    },
    meters: (ids) => (ids ? metersOf(whoOf(ids).role) : [...directory.roles.values()].flatMap(metersOf)),
    budget(ids) {
      const who = whoOf(ids)
      return budgets.state(limitsOf(who), payerOf(ids, who))
    },
  }
}

function metersOf(role: Role | undefined): readonly Meter[] {
  return (role?.limits ?? []).flatMap(({ measure, scope }) =>
    measure === 'calls' ? [] : [{ measure, rule: `roles.${role?.name}.budgets.${measure}.${scope}` }],
  )
}

interface Paying {
  readonly who: Who
  readonly payer: Parameters<Budgets['take']>[1]
}

async function takeBudgets(budgets: Budgets, subject: Subject, { who, payer }: Paying, verdict: Verdict): Promise<Verdict> {
  const { role } = who
  if (verdict.decision === 'deny' || !role) return verdict
  const { refused, spent } = await budgets.take(role.limits, payer)
  if (refused !== undefined) return deny(subject, budgetRefusal(role, refused))
  return spent.length > 0 ? { ...verdict, spent } : verdict
}

function budgetRefusal({ name }: Role, refused: Limit | 'unavailable'): Refusal {
  if (refused === 'unavailable') {
    const reason = 'The budget counter did not answer'
    return { rpc: 'forbidden', reasonCode: 'audit_unavailable', reason, matchedRule: `roles.${name}.budgets`, data: { reason } }
  }
  const { measure, scope, limit } = refused
  const amount = measure === 'usd' ? `$${limit / MICROS}` : `${limit} ${measure}`
  const reason = `Budget exceeded: ${amount} per ${scope}`
  const matchedRule = `roles.${name}.budgets.${measure}.${scope}`
  return { rpc: 'forbidden', reasonCode: 'budget_exceeded', reason, matchedRule, data: { reason: 'Budget exceeded', measure, scope } }
}

function withWho({ role, roleName, orgUnit }: Who, verdict: Verdict): Verdict {
  const named = role?.name ?? roleName
  return { ...verdict, ...(named !== undefined && { role: named }), ...(orgUnit !== undefined && { orgUnit }) }
}
