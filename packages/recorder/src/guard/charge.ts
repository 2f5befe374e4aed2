/**
 * What an outcome takes from budgets of tokens and money, and which of them it cannot be charged to because nobody said
 * what it used. Source: docs/format.md, "Budgets".
 * @module
 */
import type { ActionIds, Gate, Outcome, Spent } from './types.ts'

/** Members of the outcome's metadata; none where nothing limits. */
export interface Charged {
  readonly spent?: readonly Spent[]
  /** Rules of the budgets that do not count this call. */
  readonly unmeasured?: readonly string[]
}

export function chargeOutcome(gate: Gate | undefined, ids: ActionIds, usage: NonNullable<Outcome['usage']> = {}): Charged {
  const spent = gate?.charge?.(ids, usage) ?? []
  const { inputTokens, outputTokens, costUsd } = usage
  const known = { tokens: inputTokens !== undefined || outputTokens !== undefined, usd: costUsd !== undefined }
  const unmeasured = gate?.meters?.(ids).filter(({ measure }) => !known[measure]) ?? []
  return { ...(spent.length > 0 && { spent }), ...(unmeasured.length > 0 && { unmeasured: unmeasured.map(({ rule }) => rule) }) }
}
