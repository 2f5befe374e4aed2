/**
 * What was used up: budgets, tokens, money.
 * @module
 */
import { amountOf, membersOf, type Part, textOf } from './part.ts'
import { createTally, type Tallied } from './tally.ts'

export interface Budgets {
  /** Refused calls, and whose. */
  readonly budget_exceeded: number
  readonly rate_limited: number
  readonly exceeded_by_user: Tallied
  /** Sessions that ended in the period and said what they used. */
  readonly sessions: number
  readonly sessions_unlimited: number
  /** Nothing was left. */
  readonly sessions_used_up: number
  readonly used: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cost_usd: number
  /** Input and output tokens. */
  readonly tokens_by_model: Tallied
}

export function createBudgets(): Part<Budgets> {
  const counts = { budget_exceeded: 0, rate_limited: 0, sessions: 0, sessions_unlimited: 0, sessions_used_up: 0, used: 0 }
  const usage = { input_tokens: 0, output_tokens: 0, cost_usd: 0 }
  const [users, models] = [createTally(), createTally()]
  const addEnd = (budget: Readonly<Record<string, unknown>>): void => {
    const used = amountOf(budget.used)
    if (used === undefined) return
    counts.sessions++
    counts.used += used
    if (budget.unlimited === true) counts.sessions_unlimited++
    else if (budget.remaining === 0) counts.sessions_used_up++
  }
  return {
    add(entry) {
      const { event_type: type, reason_code: code } = entry
      if (type === 'session_end') addEnd(membersOf(membersOf(entry.metadata).budget))
      if (type === 'authorization_decision' && code === 'rate_limited') counts.rate_limited++
      if (type === 'authorization_decision' && code === 'budget_exceeded') {
        counts.budget_exceeded++
        users.add(textOf(entry.user))
      }
      const { input_tokens: input, output_tokens: output } = membersOf(entry.usage)
      const [read, written] = [amountOf(input) ?? 0, amountOf(output) ?? 0]
      usage.input_tokens += read
      usage.output_tokens += written
      usage.cost_usd += amountOf(entry.cost_usd) ?? 0
      if (read + written > 0) models.add(textOf(entry.model), read + written)
    },
    done: () => ({ ...counts, exceeded_by_user: users.done(), ...usage, tokens_by_model: models.done() }),
  }
}
