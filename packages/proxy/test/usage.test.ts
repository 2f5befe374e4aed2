/** Budgets of tokens and money at the proxy: what a server reports is charged, and what nobody can measure is said and recorded. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from '@sworn/govern'
import { loadRoles } from '@sworn/govern/roles'
import type { Gate, Reserve } from '@sworn/recorder'
import fc from 'fast-check'
import { readUsage } from '../src/relay/usage.ts'
import { openWire } from './support/wire.ts'

/** Answers every call with the result, or the error, that its arguments hold. */
const SERVER = `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, params } = JSON.parse(line)
  const answer = params.arguments.error ? { error: params.arguments.error } : { result: { content: [], ...params.arguments.result } }
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
})`
const serve = { command: process.execPath, args: ['-e', SERVER] }
const call = (id: number, input: object) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'work', arguments: input } })

function gateOf(budgets: string): Gate {
  const text = `roles: {worker: {allowed_tools: [all], execution_mode: autonomous, allowed_paths: ['**'], budgets: ${budgets}}}\ndefault: {role: worker}`
  const reserve = async ({ also = [] }: Reserve) => ({ granted: true, retryAfterMs: 0, used: [0, ...also.map(() => 0)] })
  return createGate({ policy: undefined, reserve, roles: { directory: loadRoles({ text, name: 'roles.yaml' }) } })
}

const BY_REPORT = ['roles.worker.budgets.tokens.day', 'roles.worker.budgets.usd.day']

test('what a server reports is charged and recorded; what it does not report is named in the record of the call', async () => {
  const wire = openWire({ ...serve, gate: gateOf('{tokens: {day: 1000}, usd: {day: 1}}') })
  const usage = { input_tokens: 100, output_tokens: 20, cost_usd: 0.25 }
  const inputs = [
    { result: { _meta: { usage } } },
    { result: { _meta: { usage: { totalTokens: 7 } } } },
    {},
    { error: { code: -1, message: 'no' } },
  ]
  for (const [id, input] of inputs.entries()) {
    wire.send(call(id, input))
    await wire.next()
  }
  await wire.close()
  const ends = wire.recorder.events.filter(({ event_type }) => event_type === 'tool_call_end' || event_type === 'tool_call_error')
  const amounts = ends.map(({ metadata }) => (metadata?.spent as { amount: number }[] | undefined)?.map(({ amount }) => amount))
  assert.deepEqual(amounts, [[120, 250_000], [7], undefined, undefined])
  assert.deepEqual([ends[0]?.usage, ends[0]?.cost_usd], [{ input_tokens: 100, output_tokens: 20 }, 0.25])
  assert.deepEqual(
    ends.map(({ metadata }) => metadata?.unmeasured),
    [undefined, [BY_REPORT[1]], BY_REPORT, BY_REPORT],
  )
})

test('the start says which budgets are counted by report only, to the operator and in the record', async () => {
  const limited = openWire({ ...serve, gate: gateOf('{calls: {day: 9}, tokens: {day: 1000}, usd: {day: 1}}') })
  await limited.close()
  assert.match(limited.errors(), /roles\.worker\.budgets\.tokens\.day, roles\.worker\.budgets\.usd\.day: only what the server reports/)
  assert.deepEqual(limited.recorder.ofType('session_start')[0]?.metadata?.budgets_by_report, BY_REPORT)
  const plain = openWire({ ...serve, gate: gateOf('{calls: {day: 9}}') })
  await plain.close()
  assert.doesNotMatch(plain.errors(), /budgets/)
  assert.equal(plain.recorder.ofType('session_start')[0]?.metadata?.budgets_by_report, undefined)
})

test('a report is hostile: whatever it holds, an amount is a number that is not negative, or there is none', () => {
  const odd = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom(-1, Number.NaN, Number.POSITIVE_INFINITY, '5', 1e13))
  const keys = fc.constantFrom('input_tokens', 'outputTokens', 'total_tokens', 'cost_usd', 'usage')
  fc.assert(
    fc.property(fc.dictionary(keys, odd), odd, (usage, rest) => {
      for (const result of [{ _meta: { usage } }, { _meta: usage }, { _meta: rest }, rest]) {
        for (const amount of Object.values(readUsage(result) ?? {})) assert.ok(amount >= 0 && amount <= 1e12)
      }
    }),
    { seed: 20260728 },
  )
})
