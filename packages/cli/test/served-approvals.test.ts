/** A question of a proxy is listed and answered at `sworn serve` on the same ledger, by whoever has the token that governs. Real processes. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sworn, temporary } from './support/io.ts'
import { type Place, SWORN, startProcess } from './support/process.ts'
import { type Served, startServe, tokenOf } from './support/served.ts'

const SERVER = fileURLToPath(new URL('../src/demo/server.ts', import.meta.url))
const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: demo}\nspec: {allowed_tools: [read_text_file], tool_rules: [{tool: create_directory, action: ask}]}\n'
const LIMIT = { timeout: 180_000 }

interface Listed {
  readonly id: string
  readonly text: string
  readonly shown_hash: string
}

function openPlace(): Place {
  const place: Place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY)
  writeFileSync(join(place.cwd, 'sworn.yaml'), 'audit: {policy: agent.yaml, approvals: {channels: [], timeout_s: 60}}\n')
  return place
}

/** A proxy whose client makes one call that is asked about. */
function startAsking(place: Place, name: string) {
  const [node = '', ...own] = SWORN.slice(0, -1)
  const started = startProcess(['proxy', '--config', 'sworn.yaml', '--', node, ...own, SERVER, join(place.cwd, 'files')], place)
  const { stdin, stdout } = started.process
  const send = (message: object) => void stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  send({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  })
  const answered = Promise.withResolvers<string>()
  createInterface(stdout).on('line', (line) => {
    const { id } = JSON.parse(line)
    if (id === 0) send({ id: 1, method: 'tools/call', params: { name: 'create_directory', arguments: { path: name } } })
    else if (id === 1) answered.resolve(line)
  })
  return { ...started, answer: answered.promise, end: () => stdin.end() }
}

function askServer(server: Served, place: Place) {
  return async (path: string, may: 'report' | 'govern', body?: object) => {
    const headers = { authorization: `Bearer ${tokenOf(place, may)}`, 'content-type': 'application/json' }
    const response = await fetch(`${server.url}${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> } // our API answers with objects
  }
}

async function listed(ask: ReturnType<typeof askServer>, count: number): Promise<Listed[]> {
  for (;;) {
    const { pending } = (await ask('/api/approvals', 'govern')).body as { pending: Listed[] }
    if (pending.length === count) return pending
    await wait(50)
  }
}

test(
  'the questions of two proxies are listed at the server; a yes lets one call out, a no does not, and both are on record',
  LIMIT,
  async () => {
    const place = openPlace()
    const server = await startServe(place)
    const ask = askServer(server, place)
    const proxies = ['one', 'two'].map((name) => startAsking(place, name))
    const questions = await listed(ask, 2)
    const find = (name: string) => questions.find(({ text }) => text.includes(name))!
    const answer = (name: string, approved: boolean) => ({ shown_hash: find(name).shown_hash, approved })
    assert.equal((await ask(`/api/approvals/${find('one').id}`, 'report', answer('one', true))).status, 401)
    assert.equal((await ask(`/api/approvals/${find('one').id}`, 'govern', answer('two', true))).status, 422)
    assert.deepEqual(await ask(`/api/approvals/${find('one').id}`, 'govern', answer('one', true)), {
      status: 200,
      body: { accepted: true },
    })
    assert.deepEqual(await ask(`/api/approvals/${find('two').id}`, 'govern', answer('two', false)), {
      status: 200,
      body: { accepted: true },
    })
    assert.equal((await ask(`/api/approvals/${find('one').id}`, 'govern', answer('one', true))).status, 409)
    const [one = '', two = ''] = await Promise.all(proxies.map(({ answer: line }) => line))
    assert.match(one, /created/)
    assert.match(two, /-32004/)
    await listed(ask, 0)
    for (const proxy of proxies) proxy.end()
    for (const proxy of proxies) assert.equal(await proxy.code, 0)
    server.process.kill('SIGTERM')
    assert.equal(await server.code, 0)
    const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl', '--limit', '100'], place)
    const decisions = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ tool }) => tool === 'create_directory')
    assert.deepEqual(decisions.map(({ decision, human_decision: by }) => [decision, by.channel, by.approver, by.approved]).toSorted(), [
      ['allow', 'serve', 'govern.token', true],
      ['deny', 'serve', 'govern.token', false],
    ])
    assert.equal((await sworn(['verify', '--require', 'signed'], place)).code, 0)
  },
)

test('an event that says "approved" and was only reported approves nothing', LIMIT, async () => {
  const place = openPlace()
  const server = await startServe(place)
  const ask = askServer(server, place)
  const proxy = startAsking(place, 'three')
  const [question] = await listed(ask, 1)
  const { id, shown_hash } = question!
  const answer = { channel: 'serve', approved: true, scope: 'once', approver: 'govern.token', seal: '0'.repeat(64) }
  const event = { event_type: 'approval_answered', metadata: { approval: { id, shown_hash }, answer } }
  assert.equal((await ask('/v1/events', 'report', event)).status, 200)
  assert.equal((await ask(`/api/approvals/${id}`, 'govern', { shown_hash, approved: false })).status, 200)
  assert.match(await proxy.answer, /-32004/)
  proxy.end()
  await proxy.code
  server.process.kill('SIGTERM')
  await server.code
  const { out } = await sworn(['query', '--type', 'auth_failure', '--format', 'jsonl'], place)
  assert.match(out, /malformed/)
})

test('without a server nobody is waited for', LIMIT, async () => {
  const place = openPlace()
  const proxy = startAsking(place, 'four')
  assert.match(await proxy.answer, /-32004/)
  proxy.end()
  assert.equal(await proxy.code, 0)
  const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], place)
  assert.match(out, /approval_unavailable/)
})
