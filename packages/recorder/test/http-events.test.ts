/** POST /v1/events and /health without a listener: what is acknowledged, what is refused, and what is told. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ERRORS, SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { createEventsRoute, createHealth, type EventLimits, readBody, readBodyOf } from '../src/http/index.ts'
import { createRecorder } from '../src/recorder/recorder.ts'
import { memoryPort } from './support/memory-port.ts'
import { openRealPort } from './support/real-port.ts'
import { temporaryLedger } from './support/temporary.ts'

const ID = '01932c07-5f00-7000-8000-000000000001'
const SECRET = 'hunter2-hunter2'

function desk(limits: Partial<EventLimits> = {}) {
  const port = memoryPort()
  const recorder = createRecorder({ port, user: 'operator', userSource: 'os' })
  const health = createHealth(recorder)
  const route = createEventsRoute(health.record, limits)
  const post = (body: RequestInit['body'], type = 'application/json', headers: Record<string, string> = {}) =>
    route(
      new Request('http://127.0.0.1/v1/events', {
        method: 'POST',
        headers: { 'content-type': type, ...headers },
        body,
        duplex: 'half',
      } as RequestInit), // duplex: Node's, for streams
      'ci',
    )
  return { port, health, route, post }
}

const lines = async (response: Response) =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const codeOf = async (response: Response): Promise<string> => JSON.parse(await response.text()).error.code

describe('POST /v1/events', () => {
  test('one event is answered with its seq and hash, once it is on disk', async () => {
    const { port, post } = desk()
    const response = await post('{"event_type":"data_access"}')
    assert.deepEqual([response.status, await response.json()], [200, { seq: 0, entry_hash: 'ab'.repeat(32) }])
    assert.equal(port.batches[0]?.[0]?.level, 'sync')
  })

  test('a body that says its length is the same body, whatever it says', async () => {
    const text = fc.string({ maxLength: 300, unit: 'binary' })
    const said = fc.option(fc.oneof(fc.nat(400), fc.constantFrom('', '-1', '1e2', '9999999', 'x')))
    await fc.assert(
      fc.asyncProperty(text, said, fc.nat(400), async (body, length, bytes) => {
        const headers: Record<string, string> = length === null ? {} : { 'content-length': String(length) }
        const asked = () => new Request('http://127.0.0.1/', { method: 'POST', headers, body })
        const limits = { bytes, timeMs: 10_000 }
        assert.deepEqual(await readBodyOf(asked(), limits), await readBody(asked().body, limits))
      }),
      { numRuns: 40 },
    )
  })

  test('a short body that does not come in time, or breaks off, is told from one that came', async () => {
    const asked = (body: ReadableStream) =>
      new Request('http://127.0.0.1/', { method: 'POST', headers: { 'content-length': '2' }, body, duplex: 'half' } as RequestInit)
    const limits = { bytes: 10, timeMs: 1 }
    assert.equal(await readBodyOf(asked(new ReadableStream()), limits), 'timeout')
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('ECONNRESET')) })
    assert.equal(await readBodyOf(asked(broken), { ...limits, timeMs: 10_000 }), 'broken')
  })

  test('who reports is named where the event names nobody, and a report is never taken for what we saw ourselves', async () => {
    const { port, post } = desk()
    await post('{"event_type":"a"}')
    await post('{"event_type":"b","user":"alice","source":{"name":"cron","vantage":"inline"}}')
    assert.deepEqual(
      port.events().map(({ user, user_source, source }) => [user, user_source, source]),
      [
        ['ci', 'token', { vantage: 'reported' }],
        ['alice', 'header', { name: 'cron', vantage: 'reported' }],
      ],
    )
  })

  test('a retry with an event_id is the same event, byte for byte', async () => {
    const { port, post } = desk()
    const body = JSON.stringify({ event_type: 'a', event_id: ID })
    await post(body)
    await post(body)
    const [first, second] = port.batches.flat()
    assert.deepEqual([second?.json, second?.eventId], [first?.json, ID])
    assert.equal(port.events()[0]?.timestamp, new Date(0x01932c075f00).toISOString())
  })

  test('a retry after a restart finds its event, because the producer has a name', async () => {
    const path = temporaryLedger()
    const send = async (text: string) => {
      const recorder = createRecorder({ port: await openRealPort(path, { producerId: 'sworn.serve' }) })
      const request = new Request('http://127.0.0.1/v1/events', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text,
      })
      const response = await createEventsRoute(recorder.record)(request, 'ci')
      await recorder.close()
      return { status: response.status, text: await response.text() }
    }
    const body = JSON.stringify({ event_type: 'a', event_id: ID, target: 'x' })
    const first = await send(body)
    assert.deepEqual([first.status, await send(body)], [200, first])
    assert.equal((await send(body.replace('"x"', '"y"'))).status, 409)
  })

  test('lines are answered one by one and in order; a bad one does not take the others along', async () => {
    const { post } = desk()
    const response = await post(`{"event_type":"a"}\n\n{"event_type":1}\n{"event_type":"b"}`, 'application/x-ndjson')
    const [a, wrong, b] = await lines(response)
    assert.deepEqual([response.status, a.seq, wrong.line, wrong.error.code, b.seq], [422, 0, 3, 'EVENT_INVALID', 1])
  })

  const deep = `${'['.repeat(1001)}${']'.repeat(1001)}`
  for (const [name, body, type, status, code] of [
    ['no JSON', SECRET, 'application/json', 400, 'JSON_INVALID'],
    ['nothing', '', 'application/json', 400, 'JSON_INVALID'],
    ['a member twice', `{"event_type":"a","event_type":"${SECRET}"}`, 'application/json', 400, 'JSON_DUPLICATE_MEMBER'],
    ['a lone surrogate', '{"event_type":"\\ud800"}', 'application/json', 400, 'JSON_INVALID'],
    ['a number that is none', '{"event_type":"a","x":1e999}', 'application/json', 400, 'JSON_INVALID'],
    ['too much depth', `{"event_type":"a","x":${deep}}`, 'application/json', 400, 'JSON_INVALID'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'application/json', 400, 'JSON_INVALID'],
    ['an array', `["${SECRET}"]`, 'application/json', 422, 'EVENT_INVALID'],
    ['no event_type', `{"user":"${SECRET}"}`, 'application/json', 422, 'EVENT_INVALID'],
    ['a member of the ledger', `{"event_type":"a","seq":"${SECRET}"}`, 'application/json', 422, 'EVENT_INVALID'],
    ['a type of the ledger', '{"event_type":"log.open"}', 'application/json', 422, 'EVENT_INVALID'],
    ['an event_id that is no UUIDv7', `{"event_type":"a","event_id":"${SECRET}"}`, 'application/json', 422, 'EVENT_INVALID'],
    ['a source that is none', `{"event_type":"a","source":"${SECRET}"}`, 'application/json', 422, 'EVENT_INVALID'],
    ['text', 'event_type=a', 'text/plain', 415, 'REQUEST_INVALID'],
    ['a form of a browser', 'event_type=a', 'application/x-www-form-urlencoded', 415, 'REQUEST_INVALID'],
    ['more bytes than the bound', `{"event_type":"${SECRET.repeat(100)}"}`, 'application/json', 413, 'REQUEST_INVALID'],
    ['more lines than the bound', '{"event_type":"a"}\n'.repeat(4), 'application/x-ndjson', 413, 'REQUEST_INVALID'],
  ] as const) {
    test(`${name} is ${status} ${code}, records nothing and repeats nothing`, async () => {
      const { port, post } = desk({ lines: 3, ...(status === 413 && { bytes: 1000 }) })
      const response = await post(body, type)
      const text = await response.text()
      const { error } = JSON.parse(text)
      assert.deepEqual(
        [response.status, error.code, error.hint, Object.keys(error)],
        [status, code, ERRORS[code], ['code', 'message', 'hint']],
      )
      assert.deepEqual([text.includes(SECRET), text.includes('    at '), port.batches.length], [false, false, 0])
    })
  }

  test('an encoded body and another method are refused', async () => {
    const { post, route } = desk()
    assert.equal((await post('{}', 'application/json', { 'content-encoding': 'gzip' })).status, 415)
    const got = await route(new Request('http://127.0.0.1/v1/events'), 'ci')
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST'])
  })

  test('a body that does not end in time is refused, and its place is free again', async () => {
    const { post } = desk({ timeMs: 10, requests: 1 })
    const endless = () => new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
    const [late, busy] = await Promise.all([post(endless()), post(endless())])
    assert.deepEqual([late.status, busy.status, busy.headers.get('retry-after'), await codeOf(busy)], [408, 503, '1', 'SERVER_BUSY'])
    assert.equal((await post('{"event_type":"a"}')).status, 200)
  })

  for (const [code, status] of [
    ['APPEND_REFUSED', 503],
    ['APPEND_UNKNOWN', 503],
    ['RECORDER_UNAVAILABLE', 503],
    ['EVENT_ID_CONFLICT', 409],
  ] as const) {
    test(`what the ledger answers with ${code} is ${status}`, async () => {
      const { port, post } = desk()
      port.fail = new SwornError(code, 'expected')
      const response = await post('{"event_type":"a"}')
      assert.deepEqual([response.status, await codeOf(response)], [status, code])
    })
  }

  test('no bytes make it throw, or acknowledge what was not recorded', async () => {
    const { port, post } = desk()
    const event = fc.dictionary(fc.constantFrom('event_type', 'event_id', 'user', 'source', 'timestamp', '__proto__', 'x'), fc.jsonValue())
    const body = fc.oneof(
      fc.uint8Array(),
      event.map((value) => Buffer.from(JSON.stringify(value))),
    )
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        const before = port.batches.flat().length
        const { status } = await post(Buffer.from(bytes))
        assert.ok([200, 400, 422].includes(status), `${status}`)
        assert.equal(port.batches.flat().length - before, status === 200 ? 1 : 0)
      }),
    )
  })
})

describe('health', () => {
  test('tells the position of the newest entry', async () => {
    const { health, post } = desk()
    assert.equal((await health.look()).ledger.position, undefined)
    await post('{"event_type":"a"}')
    assert.partialDeepStrictEqual(await health.look(), { status: 'healthy', ledger: { writable: true, log_id: 'AAAA', position: 0 } })
  })

  test('a ledger that refuses is unhealthy until it takes an event again, which health itself brings', async () => {
    const { port, health, post } = desk()
    port.fail = new SwornError('APPEND_REFUSED', 'disk full')
    await post('{"event_type":"a"}')
    assert.partialDeepStrictEqual(await health.look(), { status: 'unhealthy', ledger: { writable: false, code: 'APPEND_REFUSED' } })
    port.fail = undefined
    assert.equal((await health.look()).status, 'healthy')
    assert.equal(port.events().at(-1)?.event_type, 'endpoint_answered')
  })

  test("a caller's own fault says nothing of the ledger", async () => {
    const { health, post } = desk()
    await post('{"event_type":1}')
    assert.equal((await health.look()).status, 'healthy')
  })
})
