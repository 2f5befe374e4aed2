import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { type HttpProxy, type HttpProxyOptions, openHttpProxy, openStdioServer } from '../src/http/index.ts'
import { denyingGate } from './support/gates.ts'
import { openEverything, openModern, type RemoteServer } from './support/http-servers.ts'
import { ask, JSON_HEADERS } from './support/http-wire.ts'
import { createMemoryRecorder, type MemoryRecorder } from './support/memory-recorder.ts'
import { type Command, openClient1, openClient2, type Peer, proxied, referenceServer, testServer } from './support/peers.ts'
import { everything, modern, play, tool } from './support/scripts.ts'
import { call } from './support/wire.ts'

function openProxy(upstream: URL, recorder: MemoryRecorder, rest: Partial<HttpProxyOptions> = {}): Promise<HttpProxy> {
  return openHttpProxy({ upstream, recorder, listen: { host: '127.0.0.1', port: 0 }, stderr: new PassThrough().resume(), ...rest })
}

/** Every start has exactly one outcome under its correlation id. */
function checkPaired({ events }: MemoryRecorder): void {
  const outcomes = events.filter((e) => /^tool_call_(?:end|error)$/.test(e.event_type) && e.metadata?.after_cancel !== true)
  const starts = events.filter((e) => e.event_type === 'tool_call_start')
  assert.deepEqual(outcomes.map((e) => e.correlation_id).toSorted(), starts.map((e) => e.correlation_id).toSorted())
  assert.ok(starts.length > 0)
}

describe('server-everything of SDK 1.x over HTTP', () => {
  let server: RemoteServer
  before(async () => {
    server = await openEverything()
  })
  after(() => server.close())

  for (const [sdk, open] of [
    ['1.x', openClient1],
    ['2.x', openClient2],
  ] as const) {
    it(`answers the ${sdk} client the same with and without the proxy`, { skip: sdk === '1.x' && later, timeout: 120_000 }, async () => {
      const direct = await play<URL>(open, server.url, everything)
      const recorder = createMemoryRecorder()
      const proxy = await openProxy(server.url, recorder)
      const through = await play<URL>(open, new URL(proxy.url), everything)
      await proxy.close()
      assert.deepEqual(through, direct)
      checkPaired(recorder)
      assert.deepEqual(
        recorder.events.filter((e) => e.reason_code === 'malformed_request'),
        [],
      )
      assert.equal(recorder.events.at(-1)?.event_type, 'session_end')
    })
    it(`answers the ${sdk} client the same when that speaks stdio to the proxy`, { skip: later, timeout: 120_000 }, async () => {
      const direct = await play<URL>(open, server.url, everything)
      const through = await play<Command>(open, proxied({ command: server.url.href, args: [] }), everything)
      assert.deepEqual(through, direct)
    })
  }
})

describe('a stateless server of SDK 2.x over HTTP', () => {
  const seen: string[] = []
  let server: RemoteServer
  before(async () => {
    server = await openModern(seen)
  })
  after(() => server.close())

  for (const [era, open] of [
    ['2026-07-28', (to: URL) => openClient2(to, 'auto')],
    ['2025-11-25', (to: URL): Promise<Peer> => openClient2(to)],
  ] as const) {
    it(`answers the same with and without the proxy in the ${era} era`, { timeout: 120_000 }, async () => {
      const direct = await play<URL>(open, server.url, modern)
      const recorder = createMemoryRecorder()
      const proxy = await openProxy(server.url, recorder)
      const through = await play<URL>(open, new URL(proxy.url), modern)
      await proxy.close()
      assert.deepEqual(through, direct)
      assert.equal(direct.version, era)
      checkPaired(recorder)
    })
  }

  it('answers the same in both eras when the client speaks stdio to the proxy', { skip: later, timeout: 120_000 }, async () => {
    for (const era of ['auto', 'legacy'] as const) {
      const direct = await play<URL>((to) => openClient2(to, era), server.url, modern)
      const remote = proxied({ command: server.url.href, args: [] })
      const through = await play<Command>((to) => openClient2(to, era), remote, modern)
      assert.deepEqual(through, direct)
    }
  })

  it('never sees a denied call, and the model is told', async () => {
    const recorder = createMemoryRecorder()
    const proxy = await openProxy(server.url, recorder, { gate: denyingGate(['deploy']) })
    const from = seen.length
    const peer = await openClient2(new URL(proxy.url), 'auto')
    const denied = await tool('deploy', { env: 'prod' })(peer)
    const echoed = await tool('echo', { words: 'hi' })(peer)
    await peer.close()
    await proxy.close()
    assert.match(JSON.stringify(denied), /Forbidden/)
    assert.match(JSON.stringify(echoed), /hi/)
    assert.ok(seen.slice(from).some((body) => body.includes('"echo"')))
    assert.ok(seen.slice(from).every((body) => !body.includes('"deploy"')))
  })
})

describe('a server over stdio for clients over HTTP', () => {
  const reference = referenceServer('everything')
  const cases = [
    ['1.x, server-everything', (to: Command | URL) => openClient1(to), reference, everything],
    ['2.x, server-everything', (to: Command | URL) => openClient2(to), reference, everything],
    ['2.x, the 2026-07-28 era', (to: Command | URL) => openClient2(to, 'auto'), testServer(), modern],
  ] as const
  for (const [name, open, command, script] of cases) {
    it(`answers the client the same as without: ${name}`, { skip: script === everything && later, timeout: 120_000 }, async () => {
      const direct = await play<Command | URL>(open, command, script)
      const recorder = createMemoryRecorder()
      const stderr = new PassThrough().resume()
      const own = { env: { ...process.env, ...command.env }, listen: { host: '127.0.0.1', port: 0 }, recorder, stderr }
      const proxy = await openStdioServer({ command: command.command, args: command.args, ...own })
      const through = await play<Command | URL>(open, new URL(proxy.url), script)
      await proxy.close()
      assert.deepEqual(through, direct)
      checkPaired(recorder)
    })
  }

  it('never sees a denied or malformed message, and each client has a process of its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sworn-http-'))
    const seen = join(folder, 'seen')
    const recorder = createMemoryRecorder()
    const own = { env: { ...process.env, SEEN: seen }, listen: { host: '127.0.0.1', port: 0 }, stderr: new PassThrough().resume() }
    const echo = fileURLToPath(new URL('./support/echo-server.ts', import.meta.url))
    const proxy = await openStdioServer({ command: process.execPath, args: [echo], gate: denyingGate(['rm']), recorder, ...own })
    const post = (body: unknown, session?: string) => {
      const headers = { ...JSON_HEADERS, ...(session === undefined ? {} : { 'mcp-session-id': session }) }
      return ask(proxy.url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
    }
    const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { clientInfo: { name: 't' } } }
    const [a, b] = [await post(hello), await post(hello)].map((reply) => String(reply.headers['mcp-session-id']))
    assert.notEqual(a, b)
    const both = await Promise.all([post(call(1, 'echo', { words: 'one' }), a), post(call(1, 'echo', { words: 'two' }), b)])
    assert.deepEqual(
      both.map(({ body }) => JSON.parse(body).result.content[0].text),
      ['one', 'two'],
    )
    assert.equal(JSON.parse((await post(call(2, 'rm'), a)).body).error.code, -32001)
    assert.equal((await post('{"jsonrpc":"2.0","id":3,"method":"ping","method":"tools/call"}', a)).status, 400)
    assert.equal((await post(call(4, 'echo'), 'no-such-session')).status, 404)
    await proxy.close()
    assert.equal(recorder.ofType('session_end').filter((e) => e.metadata?.exit_code !== undefined).length, 2)
    assert.doesNotMatch(readFileSync(seen, 'utf8'), /"rm"|"id":3/)
    rmSync(folder, { recursive: true })
  })
})
