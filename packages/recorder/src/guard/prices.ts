/**
 * What a model call cost, from what it used and a table of prices that the owner of the ledger keeps.
 *
 * Pure. Nothing is built in: prices change, and a price of last year in an audit log would be a false statement. A model
 * that the table does not know has no cost. Writing a cache is priced as input where the vendor counts it as such, and
 * otherwise not at all.
 * @module
 */
import type { Action, Outcome, Price, Prices } from './types.ts'

type Usage = NonNullable<Outcome['usage']>

const MILLION = 1e6
/** Of these, input that was read from a cache is not part of the input. */
const APART: ReadonlySet<string | undefined> = new Set(['anthropic'])

/** The outcome with its cost; as it was, when it has one, is no model's, or nobody knows. */
export function pricedOutcome(prices: Prices | undefined, { kind, name, provider }: Action, outcome: Outcome): Outcome {
  const { usage } = outcome
  const price = prices && kind === 'model' && usage && usage.costUsd === undefined ? findPrice(prices, name) : undefined
  const costUsd = price && usage && costOf(price, usage, APART.has(provider))
  return costUsd === undefined ? outcome : { ...outcome, usage: { ...usage, costUsd } }
}

/** Exactly that name, also behind the path that some vendors put before it; then the longest beginning. */
export function findPrice(prices: Prices, model: string): Price | undefined {
  const names = [model, model.slice(model.lastIndexOf('/') + 1)]
  const exact = names.find((name) => Object.hasOwn(prices, name))
  if (exact !== undefined) return prices[exact]
  const patterns = Object.keys(prices).filter((key) => key.endsWith('*') && names.some((name) => name.startsWith(key.slice(0, -1))))
  const [longest] = patterns.sort((a, b) => b.length - a.length)
  return longest === undefined ? undefined : prices[longest]
}

/** Undefined when no tokens are known. */
function costOf({ input, output, cached = input }: Price, usage: Usage, isApart: boolean): number | undefined {
  const { inputTokens, outputTokens, cachedTokens = 0 } = usage
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  const read = isApart ? (inputTokens ?? 0) : Math.max(0, (inputTokens ?? 0) - cachedTokens)
  return (read * input + cachedTokens * cached + (outputTokens ?? 0) * output) / MILLION
}
