/** `sworn proxy --api`: the routes of the server beside a proxy, and a person who answers over them. Real processes. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sworn, temporary } from './support/io.ts'
import { type Place, SWORN, startProcess } from './support/process.ts'
import { tokenOf } from './support/served.ts'

const SERVER = fileURLToPath(new URL('../src/demo/server.ts', import.meta.url))
const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: demo}\nspec: {allowed_tools: [read_text_file], tool_rules: [{tool: create_directory, action: ask}]}\n'

interface Question {
  readonly id: string
  readonly text: string
  readonly shown_hash: string
}

/** A proxy with an API and a client that makes one call; stdin stays open until `end`. */
async function startProxy(place: Place) {
  const [node = '', ...own] = SWORN.slice(0, -1)
  const flags = ['--config', 'sworn.yaml', '--api', '127.0.0.1:0']
  const started = startProcess(['proxy', ...flags, '--', node, ...own, SERVER, join(place.cwd, 'files')], place)
  let err = ''
  started.process.stderr.on('data', (chunk: string) => {
    err += chunk
  })
  await started.until('may govern is in')
  const url = /listening on (http\S+)/.exec(err)?.[1] ?? ''
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
    if (id === 0) send({ id: 1, method: 'tools/call', params: { name: 'create_directory', arguments: { path: 'd' } } })
    else if (id === 1) answered.resolve(line)
  })
  const ask = async (path: string, may: 'report' | 'govern', body?: object) => {
    const headers = { authorization: `Bearer ${tokenOf(place, may)}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> } // our API answers with objects
  }
  return { ...started, ask, answer: answered.promise, end: () => stdin.end() }
}

test('who has the token that governs is shown the call and approves it; who may only report cannot, and reports beside it', {
  timeout: 120_000,
}, async () => {
  const place: Place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY)
  writeFileSync(join(place.cwd, 'sworn.yaml'), 'audit: {policy: agent.yaml, approvals: {channels: [mcp], timeout_s: 50}}\n')
  const proxy = await startProxy(place)
  let question: Question | undefined
  while (!question) {
    const { pending } = (await proxy.ask('/api/approvals', 'govern')).body as { pending: Question[] }
    question = pending[0]
    await turn()
  }
  assert.match(question.text, /create_directory/)
  const answer = { shown_hash: question.shown_hash, approved: true }
  assert.equal((await proxy.ask(`/api/approvals/${question.id}`, 'report', answer)).status, 401)
  assert.equal(
    (await proxy.ask(`/api/approvals/${question.id}`, 'govern', { ...answer, shown_hash: `sha256:${'0'.repeat(64)}` })).status,
    422,
  )
  assert.equal((await proxy.ask(`/api/approvals/${question.id}`, 'govern', answer)).status, 200)
  assert.match(await proxy.answer, /created/)
  assert.equal((await proxy.ask('/v1/events', 'report', { event_type: 'data_access' })).status, 200)
  assert.partialDeepStrictEqual((await proxy.ask('/v1/validate', 'report', { tool: 'write_file', arguments: {} })).body, {
    decision: 'block',
  })
  assert.partialDeepStrictEqual((await proxy.ask('/health', 'report')).body, { status: 'healthy', ledger: { writable: true } })
  proxy.end()
  assert.equal(await proxy.code, 0)
  const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '1000'], place)
  const entries = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(entries.some(({ human_decision: by }) => by?.channel === 'api' && by.approver === 'govern.token' && by.approved))
  assert.ok(entries.some(({ event_type, user }) => event_type === 'data_access' && user === 'report.token'))
  assert.ok(entries.some(({ event_type }) => event_type === 'auth_failure'))
  assert.equal((await sworn(['verify', '--require', 'signed'], place)).code, 0)
})

test('an address that is none is refused before the server is started', { timeout: 120_000 }, async () => {
  const { code, err } = await sworn(['proxy', '--api', '7710', '--', 'true'])
  assert.deepEqual([code, err.includes('(at --api)')], [2, true], err)
})
