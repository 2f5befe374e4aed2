/** Rate limits of `sworn proxy` over the end of its process: counted from the record, in real processes. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { INITIALIZE, openClient } from './support/client.ts'
import { sworn, temporary } from './support/io.ts'
import type { Place } from './support/process.ts'

const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: demo}
spec: {tool_rules: [{tool: read_text_file, action: allow, rate_limit: 3/hour}]}
`

/** What came of `calls` calls in a session of their own. */
async function session(place: Place, calls: number): Promise<string[]> {
  const client = openClient(place, ['--policy', 'agent.yaml'])
  await client.ask('initialize', INITIALIZE)
  const outcomes: string[] = []
  for (let n = 0; n < calls; n++) {
    const { error } = await client.ask('tools/call', { name: 'read_text_file', arguments: { path: 'a.txt' } })
    outcomes.push(error ? String(error.code) : 'ok')
  }
  await client.end()
  return outcomes
}

test('a rate is not full again in the next process: what was given out stands in the record', { timeout: 120_000 }, async () => {
  const place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'files', 'a.txt'), 'content of a')
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY)
  assert.deepEqual(await session(place, 2), ['ok', 'ok'])
  assert.deepEqual(await session(place, 3), ['ok', '-32002', '-32002'])
  assert.deepEqual(await session(place, 1), ['-32002'])
  const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], place)
  const rates = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).metadata?.rate)
  assert.deepEqual([rates.length, new Set(rates.filter(Boolean)).size, rates.filter(Boolean).length], [6, 1, 3])
})
