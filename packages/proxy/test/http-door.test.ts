import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { openHttpProxy } from '../src/http/index.ts'
import { ask, type HttpWire, JSON_HEADERS, openHttpWire } from './support/http-wire.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { call } from './support/wire.ts'

const TOKEN = 'a-token-of-some-length'

function openAt(host: string, access: object = {}) {
  const stderr = new PassThrough().resume()
  return openHttpProxy({
    upstream: new URL('http://127.0.0.1:9/mcp'),
    recorder: createMemoryRecorder(),
    listen: { host, port: 0 },
    access,
    stderr,
  })
}

describe('an address that others can reach', () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com'])
    it(`${host} is refused without a token or client certificates`, () =>
      assert.rejects(openAt(host), { code: 'CONFIG_INVALID', message: /needs a token or client certificates/ }))

  it('is listened on with a token, and nobody comes in without it', async () => {
    const proxy = await openAt('0.0.0.0', { tokens: [{ token: TOKEN }] })
    const url = proxy.url.replace('0.0.0.0', '127.0.0.1')
    const send = (headers: http.OutgoingHttpHeaders) => ask(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: '{}' })
    const without = await send({})
    assert.deepEqual([without.status, without.headers['www-authenticate']], [401, 'Bearer'])
    assert.equal((await send({ authorization: `Bearer ${TOKEN}x` })).status, 401)
    assert.equal((await send({ authorization: `Basic ${TOKEN}` })).status, 401)
    assert.equal((await send({ authorization: `Bearer ${TOKEN}` })).status, 400)
    await proxy.close()
  })

  it('is not listened on with a token that can be guessed', () =>
    assert.rejects(openAt('0.0.0.0', { tokens: [{ token: 'short' }] }), { code: 'CONFIG_INVALID' }))
})

describe('a loopback address', () => {
  it('answers to its own names only, and to pages of this machine or named origins only', async () => {
    const wire = await openHttpWire({ access: { origins: ['https://app.example.com'] } })
    const { port } = new URL(wire.proxy.url)
    const status = async (headers: http.OutgoingHttpHeaders) => (await wire.post(call(1, 'echo'), headers)).status
    assert.equal(await status({ host: 'evil.example.com' }), 403)
    assert.equal(await status({ host: `evil.example.com:${port}` }), 403)
    assert.equal(await status({ host: `localhost:${Number(port) - 1}` }), 403)
    assert.equal(await status({ host: `localhost:${port}` }), 200)
    assert.equal(await status({ origin: 'http://evil.example.com' }), 403)
    assert.equal(await status({ origin: 'http://localhost.evil.example.com' }), 403)
    assert.equal(await status({ origin: 'null' }), 403)
    assert.equal(await status({ origin: 'http://localhost:8080' }), 200)
    assert.equal(await status({ origin: 'https://app.example.com' }), 200)
    assert.equal(wire.seen.length, 3)
    await wire.close()
    const alerts = wire.recorder.ofType('security_alert')
    assert.deepEqual(alerts.map((e) => [e.reason, e.metadata?.count]).slice(0, 2), [
      ['Host is not ours', 1],
      ['Origin is not allowed', 1],
    ])
  })
})

describe('the browser of a page', () => {
  const preflight = (wire: HttpWire, origin: string, fields = 'content-type,mcp-session-id,mcp-param-region,x-other') =>
    wire.request({
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': fields },
    })

  it('is told what it may send when the origin is named, before anybody has shown a token', async () => {
    const wire = await openHttpWire({ access: { origins: ['https://app.example.com'], tokens: [{ token: TOKEN }] } })
    const told = await preflight(wire, 'https://app.example.com')
    assert.deepEqual(
      [told.status, told.headers['access-control-allow-origin'], told.headers['access-control-allow-headers'], told.headers.vary],
      [204, 'https://app.example.com', 'content-type, mcp-session-id, mcp-param-region', 'Origin'],
    )
    const headers = { origin: 'https://app.example.com', authorization: `Bearer ${TOKEN}` }
    wire.behave((_seen, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
        .end('{"jsonrpc":"2.0","id":1,"result":{}}'),
    )
    const answer = await wire.post(call(1, 'echo'), headers)
    assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [200, 'https://app.example.com'])
    const refused = await wire.post(call(1, 'echo'), { origin: 'https://app.example.com' })
    assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, 'https://app.example.com'])
    assert.match(String(answer.headers['access-control-expose-headers']), /Mcp-Session-Id/)
    assert.equal(wire.seen.length, 1)
    await wire.close()
  })

  it('is told nothing for another origin, of this machine or not, nor by the upstream', async () => {
    const wire = await openHttpWire({ access: { origins: ['*'] } })
    wire.behave((_seen, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
        .end('{"jsonrpc":"2.0","id":1,"result":{}}'),
    )
    for (const [origin, status] of [
      ['http://localhost:8080', 405],
      ['https://evil.example', 403],
      ['null', 403],
      ['*', 405],
    ] as const) {
      const told = await preflight(wire, origin)
      assert.deepEqual([told.status, told.headers['access-control-allow-origin']], [status, undefined], origin)
    }
    const local = await wire.post(call(1, 'echo'), { origin: 'http://localhost:8080' })
    assert.deepEqual([local.status, local.headers['access-control-allow-origin']], [200, undefined])
    await wire.close()
  })
})

describe('bounds', () => {
  it('on exchanges at one time: more are told to come back', async () => {
    const wire = await openHttpWire({ limits: { exchanges: 2 } })
    const held: http.ServerResponse[] = []
    wire.behave((_seen, response) => void held.push(response))
    const first = [wire.post(call(1, 'echo')), wire.post(call(2, 'echo'))]
    while (held.length < 2) await new Promise(setImmediate)
    const third = await wire.post(call(3, 'echo'))
    assert.deepEqual([third.status, third.headers['retry-after']], [503, '1'])
    for (const response of held) response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}')
    await Promise.all(first)
    await wire.close()
  })

  it('on sessions: the longest idle one ends', async () => {
    const wire = await openHttpWire({ limits: { sessions: 2 } })
    for (const id of ['a', 'b', 'c']) await wire.post(call(1, 'echo'), { 'mcp-session-id': id })
    await wire.close()
    assert.deepEqual(
      wire.recorder.ofType('session_end').map((e) => e.metadata?.reason),
      ['evicted', 'closed', 'closed'],
    )
  })

  it('on header fields: 16 KiB', async () => {
    const wire = await openHttpWire()
    assert.equal((await wire.post(call(1, 'echo'), { 'x-long': 'x'.repeat(17 * 1024) })).status, 431)
    await wire.close()
  })

  it('on a slow client: cut off, and the upstream is not read on', async () => {
    const wire = await openHttpWire({ limits: { slowClientMs: 50 } })
    const event = `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${'x'.repeat(60_000)}"}}\n\n`
    let sent = 0
    const stopped = new Promise<void>((resolve) => {
      wire.behave((_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.once('close', () => resolve())
        const pump = () => {
          while (response.write(event)) sent++
        }
        response.on('drain', pump)
        pump()
      })
    })
    const request = http.request(wire.proxy.url, { method: 'POST', headers: JSON_HEADERS, agent: false }, (answer) => answer.pause())
    request.on('error', () => {})
    request.end(JSON.stringify(call(1, 'echo')))
    await stopped
    assert.ok(sent < 1000, `${sent} events`)
    await wire.close()
  })
})

/** A throw-away authority with a server and a client; undefined without openssl. */
function makeCertificates(): Record<'ca' | 'server' | 'client', { cert: string; key: string }> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sworn-tls-'))
  const run = (...args: string[]) => spawnSync('openssl', args, { cwd: folder }).status === 0
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  try {
    if (!run('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2')) return undefined
    writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n')
    for (const [n, name] of ['server', 'client'].entries()) {
      run('req', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(n + 2)]
      run('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '2', '-extfile', 'names', '-out', `${name}.pem`)
    }
    const pair = (name: string) => ({
      cert: readFileSync(join(folder, `${name}.pem`), 'utf8'),
      key: readFileSync(join(folder, `${name}.key`), 'utf8'),
    })
    return { ca: pair('ca'), server: pair('server'), client: pair('client') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

it('a client certificate opens the door and names the user; without one there is no connection', async (t) => {
  const made = makeCertificates()
  if (made === undefined) return t.skip('NOT RUN: there is no openssl here')
  const wire = await openHttpWire({ listen: { host: '0.0.0.0', port: 0 }, access: { tls: { ...made.server, clientCa: made.ca.cert } } })
  const url = wire.proxy.url.replace('0.0.0.0', '127.0.0.1')
  const send = (own: https.RequestOptions) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { method: 'POST', headers: JSON_HEADERS, ca: made.ca.cert, agent: false as const, ...own }
      const request = https.request(url, options, (answer) => resolve(answer.resume().statusCode))
      request.on('error', reject)
      request.end(JSON.stringify(call(1, 'echo')))
    })
  await assert.rejects(send({}))
  assert.equal(await send(made.client), 200)
  await wire.close()
  assert.deepEqual([wire.seen.length, wire.recorder.ofType('tool_call_start')[0]?.user], [1, 'client'])
})
