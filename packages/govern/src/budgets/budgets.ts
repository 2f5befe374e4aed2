/**
 * Budgets at the gate: what a call takes, and what is left.
 *
 * Counted where the ledger is appended: a reservation takes every counter or none, and the decision's record says
 * what it spent, so that neither parallel calls, nor several proxies, nor a restart get more. A call is counted
 * before it happens; while a person is asked its share is held, and given back when it is refused. Tokens and money are known only afterwards: a call is refused once they are
 * spent, and calls that are under way then may still add to them. A counter that does not answer refuses.
 * @module
 */
import type { ActionIds, Reservation, ReserveFn, Spent } from '@sworn/recorder'
import { counterName } from '../counter-name.ts'
import { type Limit, type Limits, MICROS } from './limits.ts'

/** Who pays. */
export type Payer = Pick<ActionIds, 'session' | 'user'>

export interface Taken {
  /** The limit that is reached; absent: taken. */
  readonly refused?: Limit | 'unavailable'
  /** For `metadata.spent` of the decision. */
  readonly spent: readonly Spent[]
}

/** `metadata.budget` of a session's end, in calls. */
export interface BudgetState {
  readonly used: number
  readonly remaining: number | null
  readonly unlimited?: true
}

export interface Budgets {
  /** Takes one call from every budget of calls, when none of all budgets is spent. Never rejects. */
  take(limits: Limits, payer: Payer): Promise<Taken>
  /** What an outcome spends, for `metadata.spent` of its record. */
  charge(limits: Limits, payer: Payer, usage: { readonly tokens: number; readonly usd: number }): readonly Spent[]
  /** Calls of this session, and what is left of the narrowest budget of calls. @throws as `reserve` */
  state(limits: Limits, payer: Payer): Promise<BudgetState>
}

interface Counter {
  readonly counter: string
  readonly limit: Limit
}

/** @param now Unix milliseconds */
export function createBudgets(reserve: ReserveFn, now: () => number): Budgets {
  const countersOf = (limits: Limits, payer: Payer) => limits.map((limit) => ({ limit, counter: nameOf(limit, payer, now()) }))
  return {
    async take(limits, payer) {
      const counters = countersOf(limits, payer)
      const answer = await ask(reserve, counters, 1).catch(() => undefined)
      if (answer === undefined) return { refused: 'unavailable', spent: [] }
      if (!answer.granted) return { refused: counters[answer.refused ?? 0]?.limit ?? 'unavailable', spent: [] }
      const calls = counters.filter(({ limit }) => limit.measure === 'calls')
      return { spent: calls.map(({ counter, limit }) => ({ counter, amount: 1, limit: limit.limit })) }
    },
    charge: (limits, payer, usage) =>
      countersOf(limits, payer).flatMap(({ counter, limit: { measure } }) => {
        const amount = measure === 'tokens' ? toCount(usage.tokens) : measure === 'usd' ? toCount(usage.usd * MICROS) : 0
        return amount > 0 ? [{ counter, amount }] : []
      }),
    async state(limits, payer) {
      const calls = countersOf(limits, payer).filter(({ limit }) => limit.measure === 'calls')
      const used = (await ask(reserve, calls, 0, Number.MAX_SAFE_INTEGER)).used ?? []
      const left = calls.map(({ limit }, i) => Math.max(0, limit.limit - (used[i] ?? 0)))
      const own = calls.findIndex(({ limit }) => limit.scope === 'session')
      const remaining = left.length > 0 ? Math.min(...left) : null
      return { used: used[own < 0 ? 0 : own] ?? 0, remaining, ...(remaining === null && { unlimited: true as const }) }
    },
  }
}

const GRANTED: Reservation = { granted: true, retryAfterMs: 0, used: [] }

async function ask(reserve: ReserveFn, counters: readonly Counter[], calls: number, most?: number): Promise<Reservation> {
  const [first, ...also] = counters.map(({ counter, limit: { measure, limit } }) => ({
    key: counter,
    amount: measure === 'calls' ? calls : 0,
    limit: most ?? limit,
    perMs: 0,
  }))
  return first ? reserve({ ...first, also }) : GRANTED
}

function nameOf({ measure, scope }: Limit, { session, user }: Payer, nowMs: number): string {
  const who = scope === 'session' ? [session] : scope === 'user' ? [user] : [user, new Date(nowMs).toISOString().slice(0, 10)]
  return counterName(`budget.${measure}.${scope}`, [scope, ...who])
}

/** Hostile: a usage may be anything. Rounded up. */
function toCount(amount: number): number {
  return amount > 0 ? Math.min(Math.ceil(Number(amount.toFixed(3))), Number.MAX_SAFE_INTEGER) : 0 // three digits: what is below is the noise of the product
}
