/** What a model call cost, from its tokens and the owner's table of prices. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findPrice, pricedOutcome } from '../src/guard/prices.ts'
import type { Action, Outcome } from '../src/guard/types.ts'

const PRICES = {
  'gpt-x': { input: 2, output: 8, cached: 0.5 },
  'gpt-*': { input: 20, output: 80 },
  'gpt-x-*': { input: 1, output: 4 },
  'claude-y': { input: 3, output: 15, cached: 0.3 },
}
const model = (name: string, provider?: string): Action => ({ kind: 'model', name, ids: {}, ...(provider && { provider }) })
const cost = (action: Action, usage: Outcome['usage']) =>
  pricedOutcome(PRICES, action, { status: 'ok', ...(usage && { usage }) }).usage?.costUsd

test('a call costs what its tokens cost; input from a cache is part of the input, but for Anthropic', () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 500_000, cachedTokens: 400_000 }
  assert.equal(cost(model('gpt-x'), usage), 5.4)
  assert.equal(cost(model('claude-y', 'anthropic'), usage), 10.62)
  assert.equal(cost(model('gpt-z'), { outputTokens: 1000 }), 0.08)
})

test('what is not known has no cost, and what somebody reports stays', () => {
  assert.equal(cost(model('other'), { inputTokens: 1 }), undefined)
  assert.equal(cost(model('gpt-x'), undefined), undefined)
  assert.equal(cost(model('gpt-x'), { cachedTokens: 5 }), undefined)
  assert.equal(cost({ ...model('gpt-x'), kind: 'tool' }, { inputTokens: 1 }), undefined)
  assert.equal(cost(model('gpt-x'), { inputTokens: 1, costUsd: 7 }), 7)
  const outcome: Outcome = { status: 'ok', usage: { inputTokens: 1 } }
  assert.equal(pricedOutcome(undefined, model('gpt-x'), outcome), outcome)
})

test('the name itself counts before patterns, and the longest pattern before others; a path before it is no matter', () => {
  assert.equal(findPrice(PRICES, 'gpt-x'), PRICES['gpt-x'])
  assert.equal(findPrice(PRICES, 'gpt-x-mini'), PRICES['gpt-x-*'])
  assert.equal(findPrice(PRICES, 'gpt-q'), PRICES['gpt-*'])
  assert.equal(findPrice(PRICES, 'publishers/openai/models/gpt-x'), PRICES['gpt-x'])
  for (const name of ['', '*', '__proto__', 'constructor', 'toString']) assert.equal(findPrice(PRICES, name), undefined)
})

test('a cost is never negative and never decreases with what was used', () => {
  const tokens = fc.nat(10 ** 9)
  fc.assert(
    fc.property(tokens, tokens, tokens, fc.nat(1000), (inputTokens, outputTokens, cachedTokens, more) => {
      const usage = { inputTokens, outputTokens, cachedTokens: Math.min(cachedTokens, inputTokens) }
      const less = cost(model('gpt-x'), usage) ?? Number.NaN
      assert.ok(less >= 0)
      assert.ok((cost(model('gpt-x'), { ...usage, inputTokens: inputTokens + more, outputTokens: outputTokens + more }) ?? 0) >= less)
    }),
  )
})
