/** `sworn proxy --validator` in front of `sworn serve`: real processes, a server that answers and one that is gone. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import { type Answer, INITIALIZE, openClient } from './support/client.ts'
import { sworn, temporary } from './support/io.ts'
import type { Place } from './support/process.ts'
import { startServe, tokenOf } from './support/served.ts'

const POLICY = (spec: string) => `apiVersion: aip.io/v1alpha2\nkind: AgentPolicy\nmetadata: {name: p}\nspec: ${spec}\n`

function createPlace(spec: string): Place {
  const place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'files', 'a.txt'), 'content of a')
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY(spec))
  return place
}

const outcomeOf = ({ error }: Answer): string => (error ? `${error.code} ${error.data.reason}` : 'ok')

for (const [mode, spec, without] of [
  ['fail_closed', '{}', ['-32001 validation_unavailable', '-32001 validation_unavailable']],
  [
    'local_policy',
    '{allowed_tools: [list_directory], server: {enabled: true, failover_mode: local_policy}}',
    ['-32001 Tool not in allowed_tools list', 'ok'],
  ],
  [
    'fail_open',
    '{server: {enabled: true, failover_mode: fail_open, fail_open_constraints: {allowed_tools: [read_text_file], max_duration: 5m, max_requests: 5}}}',
    ['ok', '-32001 validation_unavailable'],
  ],
] as const)
  test(`calls are judged by the server; when it is gone, as ${mode} says; the policy is protected in both`, {
    timeout: 120_000,
    skip: later,
  }, async () => {
    const judge = createPlace('{allowed_tools: [read_text_file]}')
    const server = await startServe(judge, ['--policy', 'agent.yaml'])
    const place = createPlace(spec)
    const token = join(judge.home, 'server', 'report.token')
    const flags = ['--policy', 'agent.yaml', '--validator', server.url, '--validator-token-file', token, '--api', '127.0.0.1:0']
    const client = openClient(place, flags)
    await client.ask('initialize', INITIALIZE)
    const calls = async () => {
      const read = await client.ask('tools/call', { name: 'read_text_file', arguments: { path: 'a.txt' } })
      const list = await client.ask('tools/call', { name: 'list_directory', arguments: { path: '.' } })
      return [outcomeOf(read), outcomeOf(list)]
    }
    const touch = async () =>
      (await client.ask('tools/call', { name: 'read_text_file', arguments: { path: join(place.cwd, 'agent.yaml') } })).error?.code
    assert.deepEqual([await calls(), await touch()], [['ok', '-32001 Tool not in allowed_tools list'], -32007])
    server.process.kill('SIGTERM')
    assert.equal(await server.code, 0)
    assert.deepEqual([await calls(), await touch()], [without, -32007])
    const api = /listening on (http\S+)/.exec(client.said())?.[1] ?? ''
    const numbers = await (await fetch(`${api}/metrics`, { headers: { authorization: `Bearer ${tokenOf(place, 'report')}` } })).text()
    assert.match(numbers, new RegExp(`^aip_fail_open_requests_total ${mode === 'fail_open' ? 1 : 0}$`, 'm'))
    await client.end()
    const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], place)
    const decisions = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(decisions.length, 6, 'one a call')
    assert.match(decisions.find(({ matched_rule }) => matched_rule === 'server')?.reason, /^validation server: /)
    const open = decisions.filter(
      ({ matched_rule, violation, enforced }) => matched_rule === 'server.failover_mode' && violation && !enforced,
    )
    assert.equal(open.length, mode === 'fail_open' ? 1 : 0)
    const alerts = await sworn(['query', '--type', 'security_alert', '--format', 'jsonl'], place)
    assert.equal(alerts.out.includes('fail_open'), mode === 'fail_open')
  })
