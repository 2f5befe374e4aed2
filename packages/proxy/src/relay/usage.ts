/**
 * What a server says that a call used, in `_meta` of its result: MCP has no member for it, so the common spellings are read.
 *
 * Hostile input: a server may report too much, too little or nothing, and nothing here can check it. Source: capture.md §4.1.
 * @module
 */
import type { Outcome } from '@sworn/recorder'
import { memberOf } from '../frames/read.ts'

type Usage = NonNullable<Outcome['usage']>

const SPELLINGS: Readonly<Record<keyof Usage, readonly string[]>> = {
  inputTokens: ['input_tokens', 'inputTokens', 'prompt_tokens', 'promptTokens'],
  outputTokens: ['output_tokens', 'outputTokens', 'completion_tokens', 'completionTokens'],
  cachedTokens: ['cache_read_tokens', 'cache_read_input_tokens', 'cachedInputTokens'],
  costUsd: ['cost_usd', 'costUsd', 'total_cost_usd'],
}
const TOTAL = ['total_tokens', 'totalTokens']
const MAX_AMOUNT = 1e12

/** undefined: nothing is reported. Tokens are whole; a total that is not split counts as input. */
export function readUsage(result: unknown): Usage | undefined {
  const meta = memberOf(result, '_meta')
  if (meta === undefined) return undefined
  const places = [memberOf(meta, 'usage'), meta]
  const found = Object.entries(SPELLINGS).flatMap(([name, spellings]) => {
    const amount = amountOf(places, spellings)
    return amount === undefined ? [] : [[name, name === 'costUsd' ? amount : Math.ceil(amount)]]
  })
  const usage: Usage = Object.fromEntries(found)
  const total = usage.inputTokens === undefined && usage.outputTokens === undefined ? amountOf(places, TOTAL) : undefined
  if (total !== undefined) return { ...usage, inputTokens: Math.ceil(total) }
  return found.length > 0 ? usage : undefined
}

function amountOf(places: readonly unknown[], spellings: readonly string[]): number | undefined {
  const amounts = places.flatMap((place) => spellings.map((spelling) => memberOf(place, spelling)))
  return amounts.find((amount): amount is number => typeof amount === 'number' && amount >= 0 && amount <= MAX_AMOUNT)
}

/** As recorded. */
export function usageMembers(usage: Usage | undefined): Readonly<Record<string, unknown>> {
  if (!usage) return {}
  const { inputTokens: input_tokens, outputTokens: output_tokens, cachedTokens: cache_read_tokens, costUsd: cost_usd } = usage
  const tokens = Object.entries({ input_tokens, output_tokens, cache_read_tokens }).filter(([, amount]) => amount !== undefined)
  return { ...(tokens.length > 0 && { usage: Object.fromEntries(tokens) }), ...(cost_usd !== undefined && { cost_usd }) }
}
