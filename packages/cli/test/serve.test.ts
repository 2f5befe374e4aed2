/** `sworn serve` in real processes: tokens, acknowledgements, retries, deaths, take-overs, signals. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createIds } from '@sworn/recorder'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { later } from '../../../testkit/src/suite.ts'
import { sworn, temporary } from './support/io.ts'
import { type Place, recorderOf, runProcess, startProcess } from './support/process.ts'
import { startServe, tokenOf } from './support/served.ts'

const LIMIT = { timeout: 120_000 }
const newId = createIds()

function place(): Place & { readonly ledger: string } {
  const cwd = realpathSync(temporary())
  return { cwd, home: temporary(), ledger: join(cwd, 'audit') }
}

const eventOf = (n: number) => JSON.stringify({ event_type: 'data_access', target: `t-${n}`, event_id: newId(Date.now()) })

async function targets(here: Place): Promise<Map<string, { seq: number }>> {
  const { out } = await sworn(['query', '--type', 'data_access', '--format', 'jsonl', '--limit', '10000'], here)
  return new Map(
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => [JSON.parse(line).target, JSON.parse(line)]),
  )
}

test('the first start makes the tokens, says where they are and never what they are; SIGTERM closes the ledger', LIMIT, async () => {
  const here = place()
  const server = await startServe(here)
  const told = await server.post(eventOf(1))
  assert.deepEqual([told.status, Object.keys(JSON.parse(told.text))], [200, ['seq', 'entry_hash']])
  const health = await (await fetch(`${server.url}/health`, { headers: { authorization: `Bearer ${tokenOf(here, 'report')}` } })).json()
  assert.partialDeepStrictEqual(health, { status: 'healthy', ledger: { writable: true, position: JSON.parse(told.text).seq } })
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
  for (const may of ['report', 'govern'] as const) {
    assert.ok(server.said().includes(join(here.home, 'server', `${may}.token`)))
    assert.equal(server.said().includes(tokenOf(here, may)), false)
    assert.equal(statSync(join(here.home, 'server', `${may}.token`)).mode & 0o777, 0o600)
  }
  assert.equal(recorderOf(here.ledger), undefined)
  assert.equal((await sworn(['verify', '--require', 'signed'], here)).code, 0)
  const [event] = (await sworn(['query', '--type', 'data_access', '--format', 'jsonl'], here)).out.trim().split('\n')
  assert.partialDeepStrictEqual(JSON.parse(event!), { user: 'report.token', user_source: 'token', source: { vantage: 'reported' } })
})

test('kill -9 loses nothing that was acknowledged, and a retry after the restart is the same entry', {
  ...LIMIT,
  skip: later,
}, async () => {
  const here = place()
  const first = await startServe(here)
  const acknowledged = new Map<string, { seq: number; body: string }>()
  let sent = 0
  const producer = async () => {
    for (;;) {
      const n = sent++
      const body = eventOf(n)
      const told = await first.post(body).catch(() => undefined)
      if (!told) return
      assert.equal(told.status, 200, told.text)
      acknowledged.set(`t-${n}`, { seq: JSON.parse(told.text).seq, body })
      if (acknowledged.size === 60) first.process.kill('SIGKILL') // in the middle of the others
    }
  }
  await Promise.all([producer(), producer(), producer(), producer()])
  await first.code
  const second = await startServe(here)
  const found = await targets(here)
  for (const [target, { seq }] of acknowledged) assert.equal(found.get(target)?.seq, seq, target)
  for (const { seq, body } of [...acknowledged.values()].slice(0, 5)) {
    const again = await second.post(body)
    assert.deepEqual([again.status, JSON.parse(again.text).seq], [200, seq])
  }
  const other = [...acknowledged.values()][0]!.body.replace('t-', 'x-')
  assert.equal((await second.post(other)).status, 409)
  second.process.kill('SIGTERM')
  assert.equal(await second.code, 0)
  assert.equal((await targets(here)).size, found.size)
  assert.equal((await sworn(['verify', '--require', 'signed'], here)).code, 0)
})

test('two servers on one ledger: one records, and when it dies the other goes on with its events and its retries', {
  ...LIMIT,
  skip: later,
}, async () => {
  const here = place()
  const first = await startServe(here)
  const second = await startServe(here)
  const body = eventOf(1)
  const told = await first.post(body)
  const through = await second.post(eventOf(2))
  assert.deepEqual([told.status, through.status, recorderOf(here.ledger)], [200, 200, first.process.pid])
  assert.deepEqual(await second.post(body), told)
  first.process.kill('SIGKILL')
  await first.code
  assert.deepEqual(await second.post(body), told)
  assert.equal((await second.post(eventOf(3))).status, 200)
  assert.equal(recorderOf(here.ledger), second.process.pid)
  second.process.kill('SIGINT')
  assert.equal(await second.code, 0)
  assert.deepEqual([...(await targets(here)).keys()].toSorted(), ['t-1', 't-2', 't-3'])
  assert.equal((await sworn(['verify', '--require', 'signed'], here)).code, 0)
})

test('a request that had begun when SIGTERM came is recorded and answered; none is taken after it', LIMIT, async () => {
  const here = place()
  const server = await startServe(here)
  const { hostname, port, host } = new URL(server.url)
  const body = eventOf(1)
  const head = [
    'POST /v1/events HTTP/1.1',
    `host: ${host}`,
    `authorization: Bearer ${tokenOf(here, 'report')}`,
    'content-type: application/json',
  ]
  const line = connect(Number(port), hostname)
  await once(line, 'connect')
  line.write(`${head.join('\r\n')}\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n${body.slice(0, 10)}`)
  await once(line, 'data') // 100 Continue: the request is with the server
  server.process.kill('SIGTERM')
  await server.until('no further requests are taken')
  await assert.rejects(fetch(`${server.url}/health`))
  line.write(body.slice(10))
  assert.match(await text(line), /200 OK[\s\S]*"seq":\d+/)
  assert.equal(await server.code, 0)
  assert.deepEqual([...(await targets(here)).keys()], ['t-1'])
})

test('SIGHUP reopens the log and the server answers on', { ...LIMIT, skip: later }, async () => {
  const here = place()
  const server = await startServe(here)
  server.process.kill('SIGHUP')
  await server.until('reopened on SIGHUP')
  assert.equal((await server.post(eventOf(1))).status, 200)
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
})

const POLICY = (tools: string) => `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: served}
spec: {allowed_tools: [${tools}], server: {enabled: true}}
`

test('the policy in force answers /v1/validate, every answer is recorded, and a reload holds for the next request', LIMIT, async () => {
  const here = place()
  writeFileSync(join(here.cwd, 'agent.yaml'), POLICY('read_file'))
  const server = await startServe(here, ['--policy', 'agent.yaml'])
  const validate = async (tool: string) => {
    const { status, text: told } = await server.post(JSON.stringify({ tool, arguments: {} }), { path: '/v1/validate' })
    return [status, JSON.parse(told).decision]
  }
  assert.deepEqual(
    [await validate('read_file'), await validate('write_file')],
    [
      [200, 'allow'],
      [200, 'block'],
    ],
  )
  const known = { headers: { authorization: `Bearer ${tokenOf(here, 'report')}` } }
  const metrics = async () => (await fetch(`${server.url}/metrics`, known)).text()
  let counted = await metrics()
  while (!counted.includes('sworn_verified_entries')) counted = await metrics() // all of it is verified beside the requests
  for (const line of [
    'aip_authorization_decisions_total{decision="deny"} 1',
    'aip_authorization_decisions_total{decision="allow"} 1',
    'aip_violations_total 1',
    'aip_requests_total 2',
    'aip_decisions_total{decision="block"} 1',
    'aip_human_approval_response_time_seconds_bucket{le="+Inf"} 0',
    '# TYPE aip_request_duration_seconds histogram',
    'aip_request_duration_seconds_count 2',
    '# TYPE aip_active_sessions gauge',
    'aip_active_sessions 0',
    '# TYPE sworn_fsync_seconds histogram',
    'sworn_readable{part="index"} 1',
    'sworn_verify_holds{claim="chain"} 1',
    'sworn_verify_findings 0',
  ])
    assert.ok(counted.includes(`\n${line}\n`), line)
  assert.equal((await fetch(`${server.url}/metrics`)).status, 401)
  const health = await fetch(`${server.url}/health`)
  assert.partialDeepStrictEqual([health.status, await health.json()], [200, { status: 'healthy', version: 'v1alpha2' }])
  const revoke = (may: 'report' | 'govern') => server.post('{}', { path: '/v1/revoke', token: tokenOf(here, may) })
  assert.deepEqual([(await revoke('report')).status, (await revoke('govern')).status], [401, 404])
  writeFileSync(join(here.cwd, 'agent.yaml'), POLICY('write_file'))
  server.process.kill('SIGHUP')
  await server.until('configuration reloaded: policy')
  assert.deepEqual(
    [await validate('read_file'), await validate('write_file')],
    [
      [200, 'block'],
      [200, 'allow'],
    ],
  )
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
  const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], here)
  const decisions = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(decisions.map(({ tool, decision, user }) => [tool, decision, user]).toSorted(), [
    ['read_file', 'allow', 'report.token'],
    ['read_file', 'deny', 'report.token'],
    ['write_file', 'allow', 'report.token'],
    ['write_file', 'deny', 'report.token'],
  ])
})

test('/v1/validate answers the subject of an issuer that --jwt-keys trusts', { ...LIMIT, skip: later }, async () => {
  const here = place()
  writeFileSync(join(here.cwd, 'agent.yaml'), POLICY('read_file'))
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  writeFileSync(join(here.cwd, 'jwks.json'), JSON.stringify({ keys: [await exportJWK(publicKey)] }))
  const flags = ['--jwt-keys', 'jwks.json', '--jwt-issuer', 'https://issuer.example.com', '--jwt-audience', 'sworn']
  const server = await startServe(here, ['--policy', 'agent.yaml', ...flags])
  const claims = { iss: 'https://issuer.example.com', aud: 'sworn', sub: 'ada@example.com' }
  const sign = (aud: string) =>
    new SignJWT({ ...claims, aud }).setProtectedHeader({ alg: 'ES256' }).setExpirationTime('5m').sign(privateKey)
  const validate = async (token: string) =>
    (await server.post(JSON.stringify({ tool: 'read_file', arguments: {} }), { path: '/v1/validate', token })).status
  assert.deepEqual([await validate(await sign('sworn')), await validate(await sign('other'))], [200, 401])
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
  const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl'], here)
  assert.partialDeepStrictEqual(JSON.parse(out), { user: 'ada@example.com', user_source: 'token', decision: 'allow' })
})

test('a policy that begins to ask for identity tokens asks at the next request, and publishes its keys', {
  ...LIMIT,
  skip: later,
}, async () => {
  const here = place()
  const file = join(here.cwd, 'agent.yaml')
  writeFileSync(file, POLICY('read_file'))
  const server = await startServe(here, ['--policy', 'agent.yaml'])
  const validate = () => server.post(JSON.stringify({ tool: 'read_file', arguments: {} }), { path: '/v1/validate' })
  const jwks = async () => (await fetch(`${server.url}/v1/jwks`)).status
  assert.deepEqual([(await validate()).status, await jwks()], [200, 404])
  writeFileSync(file, POLICY('read_file').replace('spec: {', 'spec: {identity: {enabled: true, require_token: true}, '))
  server.process.kill('SIGHUP')
  await server.until('configuration reloaded: policy')
  const refused = await validate()
  assert.deepEqual([refused.status, JSON.parse(refused.text).error, await jwks()], [401, 'token_required', 200])
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
})

test('without --listen the server listens where an enabled spec.server says', { ...LIMIT, skip: later }, async () => {
  const here = place()
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number } // listens on TCP
  await new Promise((resolve) => probe.close(resolve))
  writeFileSync(join(here.cwd, 'agent.yaml'), POLICY('read_file').replace('enabled: true', `enabled: true, listen: "127.0.0.1:${port}"`))
  const server = startProcess(['serve', 'audit', '--policy', 'agent.yaml'], here)
  await server.until(`listening on http://127.0.0.1:${port}`)
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200)
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
})

test('an address that others reach is said to be one, with what keeps them out', { ...LIMIT, skip: later }, async () => {
  const here = place()
  const server = await startServe(here, [], '0.0.0.0:0')
  assert.match(server.said(), /others can reach this address: a token is needed, and travels without encryption/)
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
})

test('flags that cannot be listened with are refused before there is a ledger; an address that is not ours ends with the reason', {
  ...LIMIT,
  skip: later,
}, async () => {
  for (const [args, code, said] of [
    [['--listen', '7710'], 2, 'an address like 127.0.0.1:7710'],
    [['--listen', '127.0.0.1:70000'], 2, 'an address like 127.0.0.1:7710'],
    [['--tls-cert', 'a.pem'], 2, 'a certificate and its key were expected'],
    [['--tls-cert', 'a.pem', '--tls-key', 'b.pem'], 3, 'the file does not exist'],
    [['--listen', '192.0.2.1:0'], 3, 'the address cannot be listened on'],
  ] as const) {
    const here = place()
    const ran = await runProcess(['serve', ...args], here)
    assert.deepEqual([ran.code, ran.err.includes(said)], [code, true], ran.err)
    assert.equal(existsSync(here.ledger), args[1] === '192.0.2.1:0')
  }
})
