import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as net from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it, test } from 'node:test'
import { type HttpWire, JSON_HEADERS, openHttpWire } from './support/http-wire.ts'
import { refused } from './support/smuggled.ts'
import { call } from './support/wire.ts'

let wire: HttpWire
before(async () => {
  wire = await openHttpWire()
})
after(() => wire.close())

const PING = '{"jsonrpc":"2.0","id":"p","method":"ping"}'

/** Records of refusals so far; a ping behind them makes sure that they are written. */
async function blocked(): Promise<unknown[]> {
  await wire.post(PING)
  return wire.recorder.ofType('method_blocked').map((e) => e.reason_code)
}

for (const [what, line, code, id] of refused) {
  test(`${what} is refused over HTTP, recorded and never reaches the upstream`, async () => {
    const from = (await blocked()).length
    const seen = wire.seen.length
    const reply = await wire.post(line)
    assert.equal(reply.status, 400)
    if (code !== undefined) assert.deepEqual([JSON.parse(reply.body).error.code, JSON.parse(reply.body).id], [code, id])
    assert.doesNotMatch(reply.body, /[\u001b\u202e\u200b]/)
    assert.equal(wire.seen.length, seen)
    assert.deepEqual((await blocked()).slice(from), ['malformed_request'])
  })
}

describe('header fields that disagree with the body', () => {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: { n: 1, s: 'a' }, _meta: meta } }
  const cases: [string, Record<string, string>][] = [
    ['another method', { 'mcp-method': 'ping' }],
    ['the method in other letters', { 'mcp-method': 'Tools/Call' }],
    ['another name', { 'mcp-name': 'write' }],
    ['another name in Base64', { 'mcp-name': '=?base64?d3JpdGU=?=' }],
    ['a name in broken Base64', { 'mcp-name': '=?base64?cmVhZA?=' }],
    ['another version', { 'mcp-protocol-version': '2025-11-25' }],
    ['a value that is no argument', { 'mcp-param-s': 'b' }],
  ]
  for (const [what, headers] of cases) {
    it(`${what}: refused with -32020 and recorded`, async () => {
      const from = (await blocked()).length
      const seen = wire.seen.length
      const { status, body: answer } = await wire.post(body, headers)
      assert.deepEqual([status, JSON.parse(answer).error.code, JSON.parse(answer).id], [400, -32020, 1])
      assert.equal(wire.seen.length, seen)
      assert.deepEqual((await blocked()).slice(from), ['malformed_request'])
    })
  }
  it('pass when they agree', async () => {
    const agree = {
      'mcp-method': 'tools/call',
      'mcp-name': '=?base64?cmVhZA==?=',
      'mcp-protocol-version': '2026-07-28',
      'mcp-param-n': '1',
    }
    assert.equal((await wire.post(body, agree)).status, 200)
    assert.equal(wire.seen.at(-1)?.headers['mcp-name'], agree['mcp-name'])
  })
})

/** Bytes on a connection of their own, and all that comes back. */
async function raw(head: readonly string[], body = ''): Promise<string> {
  const socket = net.connect(Number(new URL(wire.proxy.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  return text(socket)
}

describe('bytes that two HTTP readers frame differently', () => {
  const inner = JSON.stringify(call(66, 'smuggled'))
  const host = () => `Host: ${new URL(wire.proxy.url).host}`
  const common = () => [host(), 'Content-Type: application/json', 'Accept: application/json, text/event-stream', 'Connection: close']
  const cases: [string, () => Promise<string>][] = [
    [
      'a length and chunks',
      () => raw(['POST /mcp HTTP/1.1', ...common(), 'Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${inner}`),
    ],
    ['two lengths', () => raw(['POST /mcp HTTP/1.1', ...common(), 'Content-Length: 0', `Content-Length: ${inner.length}`], inner)],
    ['an unknown transfer coding', () => raw(['POST /mcp HTTP/1.1', ...common(), 'Transfer-Encoding: xchunked'], inner)],
    ['two hosts', () => raw(['POST /mcp HTTP/1.1', ...common(), 'Host: other', `Content-Length: ${inner.length}`], inner)],
    [
      'two sessions',
      () => raw(['POST /mcp HTTP/1.1', ...common(), 'Mcp-Session-Id: a', 'Mcp-Session-Id: b', `Content-Length: ${inner.length}`], inner),
    ],
    [
      'two names',
      () => raw(['POST /mcp HTTP/1.1', ...common(), 'Mcp-Name: smuggled', 'mcp-name: x', `Content-Length: ${inner.length}`], inner),
    ],
    ['a space before the colon', () => raw(['POST /mcp HTTP/1.1', ...common(), `Content-Length : ${inner.length}`], inner)],
    ['a path that is not ours', () => raw(['POST //mcp HTTP/1.1', ...common(), `Content-Length: ${inner.length}`], inner)],
    ['an absolute target', () => raw(['POST http://other/mcp HTTP/1.1', ...common(), `Content-Length: ${inner.length}`], inner)],
    ['another method', () => raw(['PUT /mcp HTTP/1.1', ...common(), `Content-Length: ${inner.length}`], inner)],
  ]
  for (const [what, send] of cases) {
    it(`${what}: refused, and nothing reaches the upstream`, async () => {
      const seen = wire.seen.length
      assert.match(await send(), /^HTTP\/1\.1 4\d\d /)
      assert.equal(wire.seen.length, seen)
    })
  }
  it('a body that is no JSON by its type, in another character set, or packed, is refused', async () => {
    const seen = wire.seen.length
    for (const type of ['text/plain', 'application/json; charset=utf-16', 'application/jsonx', 'text/plain; application/json'])
      assert.equal((await wire.post(call(1, 'echo'), { 'content-type': type })).status, 415)
    assert.equal((await wire.post(call(1, 'echo'), { 'content-encoding': 'gzip' })).status, 415)
    assert.equal(wire.seen.length, seen)
  })
  it('a body of more than 10 MiB is refused', async () => {
    const reply = await wire.post(JSON.stringify(call(1, 'echo', { x: 'x'.repeat(10 * 1024 * 1024) }))).catch((e: Error) => e)
    assert.ok(reply instanceof Error || reply.status === 413)
    assert.equal((await wire.request({ method: 'POST', headers: JSON_HEADERS, body: PING })).status, 200)
  })
})
