/**
 * Counters in this process, for when nobody shares a limit: without a ledger, in `aip-compat`, and where history is played
 * again. They count as those beside the appender do. Source: spec policy §6.2 step 2.
 * @module
 */
import { createReservations, type ReserveFn } from '@sworn/recorder'

export interface MemoryCounters {
  readonly reserve: ReserveFn
  /** Adds to what is used of a budget, or takes away. */
  move(counter: string, amount: number): void
}

/** @param now milliseconds that never run backwards */
export function createTokenBuckets(now: () => number): ReserveFn {
  return createMemoryCounters(now).reserve
}

/** Rates and budgets. @param now as above */
export function createMemoryCounters(now: () => number): MemoryCounters {
  const counted = new Map<string, number>()
  const used = (counter: string) => counted.get(counter) ?? 0
  const move = (counter: string, amount: number) => void counted.set(counter, Math.max(0, used(counter) + amount))
  const reserve = createReservations(now, { used, hold: move })
  return { reserve: async (step) => reserve(step), move }
}
