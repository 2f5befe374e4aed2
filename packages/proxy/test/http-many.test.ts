/** Many clients over HTTP on one recorder with a real ledger, and the bound on server processes. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createRecorder, openPort } from '@sworn/recorder'
import { openHttpProxy, openStdioServer } from '../src/http/index.ts'
import { denyingGate } from './support/gates.ts'
import { ask, echo, JSON_HEADERS, listen, type Reply } from './support/http-wire.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { call } from './support/wire.ts'

const CLIENTS = 24
const CALLS = 10
const ECHO = fileURLToPath(new URL('./support/echo-server.ts', import.meta.url))
const own = () => ({ stderr: new PassThrough().resume(), listen: { host: '127.0.0.1', port: 0 } })
const postTo = (url: string, body: unknown, headers: http.OutgoingHttpHeaders = {}): Promise<Reply> =>
  ask(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) })

async function openUpstream(): Promise<URL> {
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => echo({ method: request.method!, path: '/', headers: request.headers, body }, response))
  })
  after(() => server.close().closeAllConnections())
  return new URL(`http://127.0.0.1:${await listen(server)}/mcp`)
}

test(`${CLIENTS} clients at once on one recorder: each has its own answers, every call its records, and the ledger is one chain`, async () => {
  const home = mkdtempSync(join(tmpdir(), 'sworn-many-'))
  after(() => rmSync(home, { recursive: true, force: true }))
  const path = join(home, 'audit')
  const recorder = createRecorder({ port: await openPort({ path, home, version: '0.1.0' }) })
  const tokens = Array.from({ length: CLIENTS }, (_, n) => ({ token: `token-of-client-${n}-0123456789`, user: `user-${n}` }))
  const proxy = await openHttpProxy({ ...own(), recorder, upstream: await openUpstream(), gate: denyingGate(['rm']), access: { tokens } })
  await Promise.all(
    tokens.map(async ({ token, user }, client) => {
      for (let n = 0; n < CALLS; n++) {
        const { body } = await postTo(proxy.url, call(n, n === 0 ? 'rm' : 'echo', { words: `${user}/${n}` }), {
          authorization: `Bearer ${token}`,
        })
        const { id, result, error } = JSON.parse(body)
        if (n === 0) assert.equal(error.code, -32001)
        else assert.deepEqual([id, result.content[0].text], [n, JSON.stringify({ words: `user-${client}/${n}` })])
      }
    }),
  )
  await proxy.close()
  await recorder.close()
  const entries = readFileSync(join(path, 'segments', `${'0'.repeat(20)}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, n) => n),
  )
  for (const { user } of tokens) {
    const of = (type: string) => entries.filter((entry) => entry.user === user && entry.event_type === type)
    assert.deepEqual(
      ['authorization_decision', 'tool_call_start', 'tool_call_end'].map((type) => of(type).length),
      [CALLS, CALLS - 1, CALLS - 1],
      user,
    )
    assert.equal(new Set(of('tool_call_end').map(({ session_id }) => session_id)).size, 1)
  }
})

test('more sessions than there may be processes are told to come back; one that ends makes room', async () => {
  const recorder = createMemoryRecorder()
  const limits = { sessions: 2 }
  const proxy = await openStdioServer({ command: process.execPath, args: [ECHO], recorder, limits, ...own() })
  after(() => proxy.close())
  const hello = () => postTo(proxy.url, { jsonrpc: '2.0', id: 0, method: 'initialize', params: { clientInfo: { name: 't' } } })
  const [first] = [await hello(), await hello()]
  const third = await hello()
  assert.deepEqual([third.status, third.headers['retry-after'], third.headers['mcp-session-id']], [503, '1', undefined])
  assert.equal((await postTo(proxy.url, call(1, 'echo'))).status, 503)
  await ask(proxy.url, { method: 'DELETE', headers: { 'mcp-session-id': String(first?.headers['mcp-session-id']) } })
  assert.equal((await hello()).status, 200)
})
