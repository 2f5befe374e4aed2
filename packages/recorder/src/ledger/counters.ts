/** What is known of budgets while a ledger is open: sums by the counter's name, the longest unused forgotten first. @module */

const MAX_COUNTERS = 200_000

export interface Counters {
  /** Sums over all records; undefined until somebody asks. */
  recorded: Map<string, number> | undefined
  /** Granted here, not yet recorded. */
  readonly held: Map<string, number>
}

export function createCounters(): Counters {
  return { recorded: undefined, held: new Map() }
}

export function add(counters: Map<string, number>, counter: string, amount: number): void {
  const sum = (counters.get(counter) ?? 0) + amount
  counters.delete(counter) // back to the end: the map's order is the order of use
  counters.set(counter, sum)
  if (counters.size > MAX_COUNTERS) counters.delete(counters.keys().next().value ?? '')
}

export function release(held: Map<string, number>, counter: string, amount: number): void {
  const left = (held.get(counter) ?? 0) - amount
  if (left > 0) held.set(counter, left)
  else held.delete(counter)
}
