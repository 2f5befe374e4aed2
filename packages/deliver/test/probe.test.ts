/** What a probe says is wrong: in a line, with what to do, within its time, for every sink that reaches over a network. */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { planOf } from '../../../testkit/src/sink-contract.ts'
import { type OpenSink, planSinks, probeSinks, systemClock } from '../src/index.ts'
import { openHttpPeer } from './support/http-peer.ts'

const SECRET = 'hunter2-hunter2'
const CONTEXT = { origin: 'sworn.local/x', version: '0', stdout: process.stdout, now: Date.now, ledgerPath: '/ledger' }

/** Every type that takes the address of an HTTP server. */
function configsAt(url: string): readonly Record<string, unknown>[] {
  return [
    { type: 'webhook', url },
    { type: 'splunk', url, token: SECRET },
    { type: 'elasticsearch', url, token: SECRET },
    { type: 'datadog', url, token: SECRET },
    { type: 'loki', url, token: SECRET },
    { type: 'otlp', url, token: SECRET },
    { type: 'otlp', name: 'traces', signal: 'traces', url, token: SECRET },
    { type: 'siem', endpoint: url, api_key: SECRET },
    { type: 'slack', webhook_url: `${url}${SECRET}` },
    { type: 'pagerduty', url, routing_key: SECRET },
  ]
}

const probeAt = (configs: readonly object[], timeoutMs = 10_000) =>
  probeSinks(planSinks(configs, [], CONTEXT), { timeoutMs, clock: systemClock })

for (const [status, says] of [
  [401, /^HTTP 401: the credentials are not accepted; correct them$/],
  [404, /^HTTP 404: there is nothing at this address; correct it$/],
  [302, /^HTTP 302: redirects are not followed/],
  [503, /^HTTP 503: the other side is in trouble$/],
] as const) {
  test(`HTTP ${status} is wrong for each sink, said with what to do and without a secret`, async (t) => {
    const peer = await openHttpPeer({ accept: () => ({ status, body: SECRET }) })
    t.after(peer.close)
    for (const { name, ok, detail } of await probeAt(configsAt(peer.url))) {
      assert.equal(ok, false, name)
      assert.match(detail, says, name)
    }
  })
}

test('a yes whose body says no is wrong', async (t) => {
  const peer = await openHttpPeer({ accept: () => ({ body: '{"status":"error","error":"no"}' }) })
  t.after(peer.close)
  const configs = configsAt(peer.url).filter(({ type }) => type !== 'slack' && type !== 'splunk') // their answers to a probe are no 200
  for (const { name, ok } of await probeAt(configs)) assert.equal(ok, false, name)
})

test('where nobody listens the code and what mends it are said', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await new Promise<void>((resolve) => server.close(() => resolve()))
  const others = [
    { type: 'syslog', host: '127.0.0.1', port, protocol: 'tcp' },
    { type: 'postgres', connection: `postgres://u:${SECRET}@127.0.0.1:${port}/x` },
    { type: 'nats', url: `127.0.0.1:${port}`, token: SECRET },
    { type: 'email', host: '127.0.0.1', port, tls: 'none', from: 'a@example.com', to: ['b@example.com'] },
  ]
  for (const { name, type, ok, detail } of await probeAt([...configsAt(`http://127.0.0.1:${port}/`), ...others])) {
    assert.equal(ok, false, name)
    assert.ok(!detail.includes(SECRET), name)
    assert.match(detail, /^ECONNREFUSED: nobody listens there/, `${name} ${type}`)
  }
})

test('a place that never answers is given up after the time limit, and the others are not kept waiting', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`
  const results = await probeAt([{ type: 'webhook', url }, { type: 'stdout' }], 50)
  assert.deepEqual(
    results.map(({ ok, detail }) => [ok, detail]),
    [
      [false, 'no answer within 50 ms'],
      [true, 'a stream that can be written'],
    ],
  )
})

test('a sink that cannot be opened, and one whose probe throws, are wrong without their words', async () => {
  const failing = Object.assign(new Error(`connect to ${SECRET}`), { code: 'EACCES' })
  const opens: OpenSink[] = [
    () => Promise.reject(failing),
    async () => ({
      limits: { items: 1, bytes: 1 },
      send: async () => ({}),
      probe: () => Promise.reject(new Error(SECRET)),
      close: () => Promise.reject(failing),
    }),
  ]
  const results = await probeSinks(
    opens.map((open) => planOf({ open })),
    { timeoutMs: 1000, clock: systemClock },
  )
  assert.deepEqual(
    results.map(({ detail }) => detail),
    ['EACCES: this user may not; correct the permissions', 'it failed'], // an Error says nothing of its own
  )
})
