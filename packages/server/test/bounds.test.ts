/** What a connection may cost, and how the server ends. Real sockets. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import type { Room } from '../src/index.ts'
import { bearer, EVENT, formatRequest, REPORT, serve } from './support/serving.ts'

/** A room that answers when it is told to. */
function slowRoom(): Room & { readonly entered: Promise<void>; answer(): void } {
  const entered = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  return {
    entered: entered.promise,
    answer: answered.resolve,
    async route() {
      entered.resolve()
      await answered.promise
      return new Response('done')
    },
  }
}

describe('bounds', () => {
  test('a header of more than 16 KiB is refused', async () => {
    const serving = await serve()
    assert.equal((await serving.ask('/health', { x: 'a'.repeat(17 * 1024) })).status, 431)
  })

  test('a header that comes byte by byte ends with its connection, and others are answered meanwhile', async () => {
    const serving = await serve({ limits: { headMs: 1000, requestMs: 2000 } })
    const slow = serving.socket()
    slow.write('GET /health HTTP/1.1\r\nhost: ')
    const ended = text(slow)
    assert.equal((await serving.ask('/health')).status, 200)
    assert.match(await ended, /^HTTP\/1\.1 408 /)
  })

  test('a body that comes byte by byte ends with its connection', async () => {
    const serving = await serve({ limits: { headMs: 1000, requestMs: 2000 } })
    const slow = serving.socket()
    const request = formatRequest('/v1/events', { host: `127.0.0.1:${serving.port}`, ...bearer(REPORT) }, EVENT)
    slow.write(request.slice(0, -5))
    assert.match(await text(slow), /^HTTP\/1\.1 408 /)
    assert.equal((await serving.ask('/v1/events', bearer(REPORT), EVENT)).status, 200)
  })

  test('a body above its bound is refused, and its connection ends', async () => {
    const serving = await serve({ events: { bytes: 100 } })
    const answer = await serving.ask('/v1/events', { ...bearer(REPORT), connection: 'keep-alive' }, `{"event_type":"${'a'.repeat(1000)}"}`)
    assert.deepEqual([answer.status, answer.code], [413, 'REQUEST_INVALID'])
  })

  test('more requests than the bound are told to come again', async () => {
    const room = slowRoom()
    const serving = await serve({ rooms: [room], limits: { requests: 1 } })
    const first = serving.ask('/slow')
    await room.entered
    const second = await serving.ask('/health')
    assert.deepEqual([second.status, second.code, /retry-after: 1/i.test(second.text)], [503, 'SERVER_BUSY', true])
    room.answer()
    assert.equal((await first).status, 200)
    assert.equal((await serving.ask('/health')).status, 200)
  })

  test('a header that is late is told in our form', async () => {
    const serving = await serve({ limits: { headMs: 1000, requestMs: 2000 } })
    const slow = serving.socket()
    slow.write('GET /health HTTP/1.1\r\nhost: ')
    assert.match(await text(slow), /"code":"REQUEST_INVALID","message":"a whole request in time was expected"/)
  })

  const events = 'POST /v1/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\n'
  for (const [name, request, status] of [
    ['no HTTP', 'hello\r\n\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x00\xa5\x01\r\n\r\n'],
    ['no Host', 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['an unknown method', 'FOO /health HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['a field without a colon', 'GET /health HTTP/1.1\r\nhost: a\r\nnonsense\r\n\r\n'],
    ['a long field', `GET /health HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(17 * 1024)}\r\n\r\n`, 431],
    ['many fields', `GET /health HTTP/1.1\r\nhost: a\r\n${'x: 1\r\n'.repeat(4000)}\r\n`, 431],
    ['a long path', `GET /${'x'.repeat(17 * 1024)} HTTP/1.1\r\nhost: a\r\n\r\n`, 431],
    ['chunks that lie', `${events}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['chunks with long extensions', `${events}transfer-encoding: chunked\r\n\r\n2;x=${'y'.repeat(17 * 1024)}\r\n{}\r\n0\r\n\r\n`, 413],
    ['an expectation that nobody meets', `${events}expect: 200-maybe\r\ncontent-length: 2\r\n\r\n{}`, 417],
    ['two lengths', 'POST /v1/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST /v1/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a Host that is none', 'GET /health HTTP/1.1\r\nhost: a b/c\r\nconnection: close\r\n\r\n'],
    ['a path that is none', 'GET \\health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
  ] as const) {
    test(`${name} is refused`, async () => {
      const serving = await serve()
      const answer = await serving.raw(request)
      assert.ok(status === undefined ? answer.status === 400 || answer.status === 421 : answer.status === status, answer.text)
      assert.equal(answer.code, 'REQUEST_INVALID')
      assert.match(answer.text, /\r\nconnection: close\r\n/i)
      assert.equal((await serving.ask('/health')).status, 200)
    })
  }
})

describe('the end', () => {
  test('what is being answered is answered, new connections are not taken, idle ones are closed', async () => {
    const room = slowRoom()
    const serving = await serve({ rooms: [room] })
    const idle = serving.socket()
    idle.write(formatRequest('/health', { host: `127.0.0.1:${serving.port}`, connection: 'keep-alive' }))
    await once(idle, 'data')
    const last = serving.ask('/slow', { connection: 'keep-alive' })
    await room.entered
    const closed = serving.close()
    await once(idle, 'close')
    assert.equal((await serving.ask('/health')).status, 0)
    room.answer()
    assert.match((await last).text, /^HTTP\/1\.1 200 OK[\s\S]*done/)
    await closed
  })

  test('an answer that does not come holds the end up for its grace and no longer', async () => {
    const room = slowRoom()
    const serving = await serve({ rooms: [room], limits: { graceMs: 50 } })
    const last = serving.ask('/slow')
    await room.entered
    await serving.close()
    assert.equal((await last).status, 0)
    room.answer()
  })
})
