/** `sworn proxy` with a policy that asks for identity tokens: real processes, a real server, both eras, both transports. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import { type Answer, type Client, demoServer, INITIALIZE, openClient } from './support/client.ts'
import { sworn, temporary } from './support/io.ts'
import { type Place, runProcess, startProcess } from './support/process.ts'
import { tokenOf } from './support/served.ts'

const LIMIT = { timeout: 120_000 }
const LATER = { ...LIMIT, skip: later }
const KEY = 'io.aip/identity-token'
const FIELD = 'aip-identity-token'
const POLICY = (identity: string) => `apiVersion: aip.io/v1alpha2
kind: AgentPolicy
metadata: {name: demo}
spec:
  allowed_tools: [read_text_file]
  identity: {enabled: true, ${identity}}
`
const MODERN = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
}
const READ = { name: 'read_text_file', arguments: { path: 'a.txt' } }

function createPlace(identity = 'require_token: true'): Place {
  const place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'files', 'a.txt'), 'content of a')
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY(identity))
  return place
}

const read = (client: Client, token?: string, meta: object = {}): Promise<Answer> =>
  client.ask('tools/call', { ...READ, _meta: { ...meta, ...(token !== undefined && { [KEY]: token }) } })
const tokenIn = (answer: Answer): string => answer.result._meta[KEY]
/** `ok`, or code and AIP's word. */
const outcomeOf = ({ result, error }: Answer): string =>
  error ? `${error.code} ${error.data.token_error ?? error.data.revocation_type ?? ''}`.trim() : result.content[0].text

async function entriesOf(place: Place, ...types: readonly string[]): Promise<Answer[]> {
  const flags = types.flatMap((type) => ['--type', type])
  const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '10000', ...flags], place)
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** Everything that the ledger keeps, as text. */
function ledgerText({ cwd }: Place): string {
  const files = readdirSync(join(cwd, 'audit'), { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('')
}

test(
  'over stdio a call brings a token and its answer the next; without, twice, altered or foreign it is refused and recorded',
  LIMIT,
  async () => {
    const place = createPlace()
    const client = openClient(place, ['--policy', 'agent.yaml'])
    const first = tokenIn(await client.ask('initialize', INITIALIZE))
    assert.match(client.said(), /require_token: each call needs a token/)
    assert.equal(outcomeOf(await read(client)), '-32008')
    const answer = await read(client, first)
    assert.equal(outcomeOf(answer), 'content of a')
    const second = tokenIn(answer)
    assert.equal(outcomeOf(await read(client, first)), '-32009 replay_detected')
    const middle = second.length - 20
    const altered = second.slice(0, middle) + (second[middle] === 'A' ? 'B' : 'A') + second.slice(middle + 1)
    assert.equal(outcomeOf(await read(client, altered)), '-32009 malformed')
    const other = openClient(place, ['--policy', 'agent.yaml'])
    await other.ask('initialize', INITIALIZE)
    assert.equal(outcomeOf(await read(other, second)), '-32009 session_mismatch')
    await other.end()
    assert.equal(outcomeOf(await read(client, second)), 'content of a')
    const fresh = tokenIn(await client.ask('tools/list'))
    assert.equal(outcomeOf(await read(client, fresh)), 'content of a')
    await client.end()
    const rejected = await entriesOf(place, 'identity_token_rejected')
    assert.deepEqual(
      rejected.map(({ reason_code, error_code, metadata }) => [reason_code, error_code, metadata.fault]),
      [
        ['identity_missing', -32008, 'required'],
        ['identity_invalid', -32009, 'replay_detected'],
        ['identity_invalid', -32009, 'malformed'],
        ['identity_invalid', -32009, 'session_mismatch'],
      ],
    )
    const decisions = await entriesOf(place, 'authorization_decision')
    assert.deepEqual(
      decisions.map(({ decision }) => decision),
      ['deny', 'allow', 'deny', 'deny', 'deny', 'allow', 'allow'],
    )
    const ids = (await entriesOf(place, 'identity_token_issued', 'identity_token_rotated')).map(({ token_id }) => token_id)
    for (const { decision, token_id, agent_id } of decisions)
      if (decision === 'allow') assert.deepEqual([ids.includes(token_id), agent_id], [true, 'demo'])
    for (const secret of [first, second, fresh]) assert.equal(ledgerText(place).includes(secret.slice(0, 120)), false)
    assert.equal((await sworn(['verify', '--require', 'signed'], place)).code, 0)
  },
)

test('a client that brings none is given another when the last is as old as rotation_interval says', LATER, async () => {
  const place = createPlace('require_token: false, rotation_interval: 1ms')
  const client = openClient(place, ['--policy', 'agent.yaml'])
  const first = tokenIn(await client.ask('initialize', INITIALIZE))
  const second = tokenIn(await read(client))
  assert.notEqual(second, first)
  assert.equal(outcomeOf(await read(client, first)), 'content of a') // it was not spent, and is not over
  await client.end()
})

test('the stateless era gets its first token with the list of tools', LATER, async () => {
  const place = createPlace()
  const client = openClient(place, ['--policy', 'agent.yaml'])
  await client.ask('initialize', INITIALIZE) // the demo server speaks the 2025 era; the requests below are of the next one
  const token = tokenIn(await client.ask('tools/list', { _meta: MODERN }))
  const refused = await read(client, undefined, MODERN)
  assert.deepEqual([refused.result.isError, refused.result._meta['sworn/denial'].code], [true, -32008])
  assert.equal(outcomeOf(await read(client, token, MODERN)), 'content of a')
  await client.end()
})

test(
  'where no token is required calls go on without, a new one comes when the last is old, and a bad one is refused all the same',
  LIMIT,
  async () => {
    const place = createPlace('require_token: false')
    const client = openClient(place, ['--policy', 'agent.yaml'])
    await client.ask('initialize', INITIALIZE)
    const [first, second] = [await read(client), await read(client)]
    assert.deepEqual([outcomeOf(first), outcomeOf(second)], ['content of a', 'content of a'])
    assert.deepEqual([first.result._meta, second.result._meta], [undefined, undefined])
    assert.equal(outcomeOf(await read(client, 'x.y.z')), '-32009 malformed')
    await client.end()
  },
)

test('the server sees no token, whichever message carries it', LATER, async () => {
  const place = createPlace()
  const seen = join(place.cwd, 'seen')
  const script = `process.stdin.on('data', (d) => { require('fs').appendFileSync(${JSON.stringify(seen)}, d)
    for (const line of d.toString().split('\\n').filter(Boolean)) { const { id } = JSON.parse(line)
      if (id) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], _meta: { own: 1, '${KEY}': 'theirs' } } }) + '\\n') } })`
  const client = openClient(place, ['--policy', 'agent.yaml'], [process.execPath, '-e', script])
  const token = tokenIn(await client.ask('initialize', INITIALIZE))
  const listed = await client.ask('prompts/list', { _meta: { [KEY]: token, own: 1 } })
  assert.deepEqual([listed.error?.code, listed.result], [-32006, undefined])
  assert.deepEqual((await client.ask('ping', { _meta: { [KEY]: token } })).result._meta, { own: 1 })
  const called = await read(client, token)
  assert.deepEqual([called.result._meta.own, called.result._meta[KEY] === 'theirs', typeof called.result._meta[KEY]], [1, false, 'string'])
  await client.end()
  assert.equal(readFileSync(seen, 'utf8').includes(KEY), false)
  assert.match(readFileSync(seen, 'utf8'), /tools\/call/)
})

interface Http {
  /** One request; `token` goes into the field. */
  post(
    message: object,
    headers?: Record<string, string>,
  ): Promise<{ readonly body: Answer; readonly token: string | null; readonly session: string | null; readonly status: number }>
  end(): Promise<void>
}

/** @param server flags and command of the server behind the proxy */
async function openHttp(place: Place, flags: readonly string[] = [], server = ['--', ...demoServer(place)]): Promise<Http> {
  const started = startProcess(['proxy', '--listen', '127.0.0.1:0', ...flags, ...server], place)
  let said = ''
  started.process.stderr.on('data', (chunk: string) => {
    said += chunk
  })
  await started.until('listening on http')
  const url = /listening on (http\S+)/.exec(said)?.[1] ?? ''
  return {
    async post(message, headers = {}) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      })
      const text = await response.text()
      const body = text === '' ? undefined : JSON.parse(text.replace(/^[\s\S]*data: /, ''))
      return { body, token: response.headers.get(FIELD), session: response.headers.get('mcp-session-id'), status: response.status }
    },
    async end() {
      started.process.kill('SIGTERM')
      assert.equal(await started.code, 0, said)
    },
  }
}

test('over HTTP a token comes in a header field and the next goes out in one; in a body it is refused', LIMIT, async () => {
  const place = createPlace()
  const http = await openHttp(place, ['--policy', 'agent.yaml'])
  const opened = await http.post({ id: 0, method: 'initialize', params: INITIALIZE })
  const session = { 'mcp-session-id': opened.session ?? '' }
  const call = (id: number, headers: Record<string, string>, meta?: object) =>
    http.post({ id, method: 'tools/call', params: { ...READ, ...(meta && { _meta: meta }) } }, { ...session, ...headers })
  assert.equal(outcomeOf((await call(1, {})).body), '-32008')
  assert.equal(opened.body.result._meta, undefined)
  const first = opened.token ?? ''
  assert.equal(outcomeOf((await call(2, {}, { [KEY]: first })).body), '-32009 malformed')
  assert.equal(outcomeOf((await call(3, { [FIELD]: first }, { [KEY]: first })).body), '-32009 malformed')
  const answer = await call(4, { [FIELD]: first })
  assert.equal(outcomeOf(answer.body), 'content of a')
  assert.equal(outcomeOf((await call(5, { authorization: `Bearer ${answer.token}` })).body), 'content of a')
  assert.equal(outcomeOf((await call(6, { [FIELD]: answer.token ?? '' })).body), '-32009 replay_detected')
  assert.equal((await http.post({ id: 7, method: 'tools/list' }, session)).token?.split('.').length, 3)
  await http.end()
  const rejected = await entriesOf(place, 'identity_token_rejected')
  assert.deepEqual(
    rejected.map(({ metadata }) => metadata.fault),
    ['required', 'misplaced', 'misplaced', 'replay_detected'],
  )
  assert.equal(ledgerText(place).includes(first.slice(0, 120)), false)
})

test('the upstream of an HTTP proxy gets no token and gives none; a token does for one session of one client', LATER, async () => {
  const place = createPlace()
  const seen: IncomingHttpHeaders[] = []
  const upstream = createServer((request, response) => {
    seen.push(request.headers)
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', [FIELD]: 'theirs' })
      response.end('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"far"}],"tools":[]}}')
    })
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as AddressInfo // listens on TCP
  const http = await openHttp(place, ['--policy', 'agent.yaml', '--url', `http://127.0.0.1:${port}/mcp`], [])
  const as = (name: string, headers: Record<string, string> = {}) => {
    const _meta = { ...MODERN, 'io.modelcontextprotocol/clientInfo': { name, version: '1' } }
    return {
      list: () => http.post({ id: 1, method: 'tools/list', params: { _meta } }),
      call: () => http.post({ id: 1, method: 'tools/call', params: { ...READ, _meta } }, headers),
    }
  }
  const token = (await as('a').list()).token ?? ''
  assert.equal((await as('b', { [FIELD]: token }).call()).body.result._meta['sworn/denial'].token_error, 'session_mismatch')
  const second = (await as('a').list()).token ?? ''
  const answer = await as('a', { authorization: `Bearer ${second}` }).call()
  assert.deepEqual([outcomeOf(answer.body), answer.token?.split('.').length], ['far', 3])
  await http.end()
  upstream.closeAllConnections()
  upstream.close()
  assert.equal(seen.length, 3)
  assert.doesNotMatch(JSON.stringify(seen), /identity-token|Bearer/)
})

test('a session that is revoked over the API gets nothing more, and the record says who did it', LIMIT, async () => {
  const place = createPlace()
  const client = openClient(place, ['--policy', 'agent.yaml', '--api', '127.0.0.1:0'])
  await client.started.until('may govern is in')
  const token = tokenIn(await client.ask('initialize', INITIALIZE))
  const url = /listening on (http\S+)/.exec(client.said())?.[1]
  const { session_id } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const headers = { authorization: `Bearer ${tokenOf(place, 'govern')}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ type: 'session', session_id, reason: 'lost' })
  assert.equal((await fetch(`${url}/v1/revoke`, { method: 'POST', headers, body })).status, 200)
  assert.equal(outcomeOf(await read(client, token)), '-32011 session')
  assert.equal((await client.ask('tools/list')).result._meta, undefined)
  await client.end()
  const [revoked] = await entriesOf(place, 'identity_token_revoked')
  assert.partialDeepStrictEqual(revoked, { session_id, user: 'govern.token', reason: 'lost' })
  const [started] = await entriesOf(place, 'session_start')
  assert.equal(started?.session_id, session_id)
})

test('a session that was revoked gets no token from whoever takes over the ledger', LATER, async () => {
  const place = createPlace()
  const holder = openClient(place, ['--policy', 'agent.yaml', '--api', '127.0.0.1:0'])
  await holder.started.until('may govern is in')
  const client = openClient(place, ['--policy', 'agent.yaml'])
  const token = tokenIn(await client.ask('initialize', INITIALIZE))
  const url = /listening on (http\S+)/.exec(holder.said())?.[1]
  const { session_id } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const headers = { authorization: `Bearer ${tokenOf(place, 'govern')}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ type: 'session', session_id })
  assert.equal((await fetch(`${url}/v1/revoke`, { method: 'POST', headers, body })).status, 200)
  await holder.end()
  assert.equal(outcomeOf(await read(client, token)), '-32009 session_mismatch')
  assert.equal((await client.ask('tools/list')).result._meta, undefined)
  assert.equal(outcomeOf(await read(client, token)), '-32011 session')
  assert.equal(outcomeOf(await read(client)), '-32008')
  await client.end()
})

test('a policy without identity leaves fields and members of that name alone', LATER, async () => {
  const place = createPlace()
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY('require_token: true').replace('enabled: true', 'enabled: false'))
  const script = `process.stdin.on('data', (d) => { for (const line of d.toString().split('\\n').filter(Boolean)) {
    const { id, params } = JSON.parse(line); process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], _meta: params._meta } }) + '\\n') } })`
  const client = openClient(place, ['--policy', 'agent.yaml'], [process.execPath, '-e', script])
  assert.deepEqual((await read(client, 'of the server')).result._meta, { [KEY]: 'of the server' })
  await client.end()
})

test('a policy whose keys cannot be read keeps the proxy from starting', LATER, async () => {
  const place = createPlace('require_token: true, keys: {key_source: file, key_path: absent.pem}')
  const { code, err } = await runProcess(['proxy', '--policy', 'agent.yaml', '--', ...demoServer(place)], place)
  assert.deepEqual([code > 0, /absent\.pem/.test(err)], [true, true], err)
})

test('a policy that begins to ask for tokens asks at the next call', LATER, async () => {
  const place = createPlace('require_token: true')
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY('require_token: true').replace('enabled: true', 'enabled: false'))
  const client = openClient(place, ['--policy', 'agent.yaml'])
  const opened = await client.ask('initialize', INITIALIZE)
  assert.deepEqual([opened.result._meta, outcomeOf(await read(client))], [undefined, 'content of a'])
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY('require_token: true'))
  client.started.process.kill('SIGHUP')
  await client.started.until('configuration reloaded: policy')
  assert.equal(outcomeOf(await read(client)), '-32008')
  assert.equal(outcomeOf(await read(client, tokenIn(await client.ask('tools/list')))), 'content of a')
  await client.end()
})

test(
  'when another process takes over the ledger, tokens from before count for nothing and the session goes on with new ones',
  LIMIT,
  async () => {
    const place = createPlace()
    const holder = openClient(place, ['--policy', 'agent.yaml'])
    await holder.ask('initialize', INITIALIZE)
    const client = openClient(place, ['--policy', 'agent.yaml'])
    const token = tokenIn(await client.ask('initialize', INITIALIZE))
    await holder.end()
    assert.equal(outcomeOf(await read(client, token)), '-32009 session_mismatch')
    const next = tokenIn(await client.ask('tools/list'))
    assert.equal(outcomeOf(await read(client, token)), '-32009 replay_detected')
    assert.equal(outcomeOf(await read(client, next)), 'content of a')
    await client.end()
    assert.equal((await sworn(['verify', '--require', 'signed'], place)).code, 0)
  },
)
