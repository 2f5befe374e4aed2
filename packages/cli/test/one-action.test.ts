/** One call of a real client that Claude Code's hook and `sworn proxy` both see: one action, two observations. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createObservations } from '@sworn/analyze/actions'
import { type Entry, parseEntry } from '@sworn/analyze/reading'
import { later } from '../../../testkit/src/suite.ts'
import { INITIALIZE, openClient } from './support/client.ts'
import { sworn, temporary } from './support/io.ts'

test('a client asks its hook, calls through the proxy and tells the end: reports and metrics count it once, the ledger holds what both saw', {
  timeout: 180_000,
  skip: later,
}, async () => {
  const here = { cwd: temporary(), home: temporary(), env: { SWORN_RECORDER: 'off' } }
  mkdirSync(join(here.cwd, 'files'))
  writeFileSync(join(here.cwd, 'files', 'notes.txt'), 'hello')
  writeFileSync(
    join(here.cwd, 'agent.yaml'),
    'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [read_text_file, mcp__demo__read_text_file]}\n',
  )
  const hook = (event: string, payload: object) =>
    sworn(['hook', 'claude-code', event, '--policy', 'agent.yaml'], {
      ...here,
      stdin: JSON.stringify({ session_id: 's-1', cwd: here.cwd, ...payload }),
    })
  const client = openClient(here, ['--policy', 'agent.yaml'])
  await client.ask('initialize', INITIALIZE)
  const { tools } = (await client.ask('tools/list')).result
  assert.ok(tools.some(({ name }: { name: string }) => name === 'read_text_file'))

  for (const [n, path] of ['notes.txt', 'absent.txt', 'notes.txt'].entries()) {
    const call = { tool_name: 'mcp__demo__read_text_file', tool_input: { path }, tool_use_id: `toolu_${n}` }
    assert.equal((await hook('PreToolUse', call)).code, 0)
    const { result } = await client.ask('tools/call', { name: 'read_text_file', arguments: { path } })
    assert.equal(
      (await hook(result.isError ? 'PostToolUseFailure' : 'PostToolUse', { ...call, tool_response: result, error: 'absent' })).code,
      0,
    )
  }
  const denied = await client.ask('tools/call', { name: 'write_file', arguments: { path: 'notes.txt', content: 'x' } })
  assert.ok(denied.result?.isError ?? denied.error)
  await client.end()

  const entries = await entriesOf(here)
  const observations = createObservations()
  const seen = entries.flatMap((entry) => {
    const observed = observations.observe(entry)
    return observed ? [{ observed, by: (entry.source as { kind: string }).kind }] : []
  })
  const byAction = Map.groupBy(seen, ({ observed }) => observed.action)
  const observers = [...byAction.values()].map((all) => [...new Set(all.map(({ by }) => by))].toSorted())
  assert.deepEqual(observers, [
    ['hook', 'mcp_stdio'],
    ['hook', 'mcp_stdio'],
    ['hook', 'mcp_stdio'], // the same arguments once more are another call
    ['mcp_stdio'],
  ])

  const { calls } = JSON.parse((await sworn(['report', '--format', 'json'], here)).out)
  assert.deepEqual([calls.allowed, calls.denied, calls.ok, calls.failed], [3, 1, 2, 1])
  const { out } = await sworn(['metrics'], here)
  assert.match(out, /^sworn_actions_total 4$/m)
  assert.match(out, /^sworn_actions_denied_total 1$/m)
  assert.match(out, /^aip_authorization_decisions_total\{decision="allow"\} 6$/m)
})

async function entriesOf(here: Parameters<typeof sworn>[1]): Promise<Entry[]> {
  const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '1000'], here)
  return out
    .trim()
    .split('\n')
    .map((line) => parseEntry({ bytes: Buffer.from(line) })!)
}
