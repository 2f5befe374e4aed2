/** CloudWatch Logs through the official SDK, against a loopback server with the documented limits; requests by property. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { append, finish, makePlace, openAt, type Peer, planOf, sinkContract, start } from '../../../testkit/src/sink-contract.ts'
import { count, later } from '../../../testkit/src/suite.ts'
import { readLetters } from '../src/dead-letters.ts'
import { type Item, sinkPlaces } from '../src/index.ts'
import { type CloudwatchOptions, cloudwatchSink } from '../src/sinks/cloudwatch.ts'
import { type LogEvent, type RejectedLogEvents, toRefusals, toRequests } from '../src/sinks/cloudwatch-requests.ts'
import { CREDENTIALS, isTaken, openLogsPeer, REGION } from './support/aws-peer.ts'

const NOW = Date.parse('2026-11-21T10:00:00.000Z')

const sinkAt = (url: string, options: Partial<CloudwatchOptions> = {}) =>
  cloudwatchSink({
    group: '/sworn/audit',
    stream: 's',
    region: REGION,
    endpoint: url,
    credentials: CREDENTIALS,
    now: () => NOW,
    ...options,
  })

async function peerOf(): Promise<Peer> {
  const peer = await openLogsPeer()
  return {
    open: sinkAt(peer.url),
    faults: ['down', 'error', 'lying', 'lost answer'],
    fail: peer.fail,
    held: () => (peer.streams.get('s') ?? []).map((message) => JSON.parse(message).seq),
    drops: false,
    close: peer.close,
  }
}
sinkContract('cloudwatch', peerOf, later)

function itemOf(seq: number, timestamp: unknown, body = `{"seq":${seq}}`): Item {
  return { seq, key: `o/${seq}`, entryHash: '', event: { event_type: 'x', timestamp } as Item['event'], body, line: body }
}

const DAY_MS = 86_400_000
const times = fc.oneof(fc.integer({ min: NOW - 30 * DAY_MS, max: NOW + DAY_MS }), fc.integer({ min: NOW, max: NOW + 5 }))
const bodies = fc.oneof(
  { weight: 9, arbitrary: fc.string({ minLength: 1, unit: 'binary' }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_048_540, max: 1_048_590 }).map((length) => 'x'.repeat(length)) },
)
const batches = fc.array(fc.record({ time: fc.oneof(times, fc.constant(Number.NaN)), body: bodies }), { maxLength: 60 })

test('every entry is in one request that the service takes, or refused because no request could hold it', () => {
  fc.assert(
    fc.property(batches, (events) => {
      const items = events.map(({ time, body }, n) => itemOf(n, Number.isNaN(time) ? 'no time' : new Date(time).toISOString(), body))
      const { requests, refused } = toRequests(items, NOW)
      for (const request of requests) assert.ok(isTaken([...request]))
      for (const { index } of refused) assert.ok(Buffer.byteLength(items[index]!.body) + 26 > 1_048_576)
      const places = [...requests.flat(), ...refused].map(({ index }) => index)
      assert.deepEqual(
        places.toSorted((a, b) => a - b),
        [...items.keys()],
      )
      for (const same of Map.groupBy(requests.flat(), ({ timestamp }) => timestamp).values())
        assert.deepEqual(
          same,
          same.toSorted((a, b) => a.index - b.index),
        )
    }),
  )
})

test('more than 10,000 entries are more than one request', () => {
  const items = Array.from({ length: 20_001 }, (_, n) => itemOf(n, '2026-11-21T10:00:00.000Z'))
  assert.deepEqual(
    toRequests(items, NOW).requests.map(({ length }) => length),
    [10_000, 10_000, 1],
  )
})

test('what the service left out is named by its place in the batch, with the reason', () => {
  const request = [7, 3, 9, 1, 5].map((index) => ({ timestamp: 0, message: 'm', index }))
  assert.deepEqual(toRefusals(request, {}), [])
  assert.deepEqual(toRefusals(request, { tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2, tooNewLogEventStartIndex: 4 }), [
    { index: 7, reason: 'more than 14 days old' },
    { index: 3, reason: 'older than the retention of the log group' },
    { index: 5, reason: 'more than 2 hours in the future' },
  ])
})

test('what is too old for the service is parked with the reason, and the others are there', async (t) => {
  const peer = await openLogsPeer(NOW + 15 * DAY_MS)
  t.after(peer.close)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 4) // their time is NOW
  const sink = await sinkAt(peer.url)(undefined)
  t.after(sink.close)
  const items = [itemOf(0, new Date(NOW + 15 * DAY_MS).toISOString()), itemOf(1, new Date(NOW).toISOString())]
  assert.deepEqual(await sink.send(items, AbortSignal.timeout(5000)), { refused: [{ index: 1, reason: 'more than 14 days old' }] })
  assert.deepEqual(peer.streams.get('s'), ['{"seq":0}'])
  await finish(start(place.path, ledger.info.origin, [planOf({ open: sinkAt(peer.url) })]))
  assert.deepEqual(
    readLetters(sinkPlaces(place.path, 'test').dead).map(({ reason }) => reason),
    Array(4).fill('more than 14 days old'),
  )
})

test('a group that is not there is trouble, and the stream is made where it is absent', async (t) => {
  const peer = await openLogsPeer()
  t.after(peer.close)
  const [missing, there] = [await sinkAt(peer.url, { group: '/other' })(undefined), await sinkAt(peer.url)(undefined)]
  t.after(() => Promise.all([missing.close(), there.close()]))
  const item = itemOf(0, '2026-11-21T10:00:00.000Z')
  assert.equal((await missing.send([item], AbortSignal.timeout(5000))).again?.reason, 'HTTP 400 ResourceNotFoundException')
  assert.deepEqual(await there.send([item], AbortSignal.timeout(5000)), { refused: [] })
  assert.deepEqual(await missing.probe!(AbortSignal.timeout(5000)), { wrong: 'HTTP 400 ResourceNotFoundException' })
})

test('what the service refuses as a whole is halved until what it refuses stands alone', async () => {
  const taken: string[] = []
  const open = sinkAt('http://127.0.0.1:1/', {
    driver: async () => ({
      open: () => ({
        async put(events) {
          const isBad = events.some(({ message }) => message.includes('bad'))
          if (isBad) throw Object.assign(new Error('m'), { name: 'InvalidParameterException', $metadata: { httpStatusCode: 400 } })
          taken.push(...events.map(({ message }) => message))
          return {}
        },
        close() {},
      }),
    }),
  })
  const sink = await open(undefined)
  const items = ['a', 'bad 1', 'b', 'c', 'bad 2'].map((body, n) => itemOf(n, '2026-11-21T10:00:00.000Z', body))
  const reason = 'HTTP 400 InvalidParameterException'
  assert.deepEqual(await sink.send(items, AbortSignal.timeout(5000)), {
    refused: [
      { index: 1, reason },
      { index: 4, reason },
    ],
  })
  assert.deepEqual(taken, ['a', 'b', 'c'])
})

test('whatever becomes of each request, every entry is there, or refused, or sent again: one of them', async () => {
  const fates = fc.array(fc.constantFrom('taken', 'taken', 'old', 'future', 'invalid', 'down'), { minLength: 20, maxLength: 20 })
  const events = fc.array(fc.record({ day: fc.nat(6), bytes: fc.constantFrom(10, 200_000) }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(events, fates, async (written, [...left]) => {
      const there: string[] = []
      const put = async (request: readonly LogEvent[]): Promise<RejectedLogEvents> => {
        const fate = left.shift() ?? 'taken'
        if (fate === 'down') throw Object.assign(new Error('m'), { code: 'ECONNRESET' })
        if (fate === 'invalid') throw Object.assign(new Error('m'), { name: 'InvalidParameterException' })
        const half = request.length >> 1
        there.push(
          ...(fate === 'old' ? request.slice(half) : fate === 'future' ? request.slice(0, half) : request).map(({ message }) => message),
        )
        return fate === 'old' ? { tooOldLogEventEndIndex: half } : fate === 'future' ? { tooNewLogEventStartIndex: half } : {}
      }
      const sink = await sinkAt('http://127.0.0.1/', { driver: async () => ({ open: () => ({ put, close() {} }) }) })(undefined)
      const items = written.map(({ day, bytes }, n) => itemOf(n, new Date(NOW - day * DAY_MS).toISOString(), `${n} ${'x'.repeat(bytes)}`))
      const { refused = [], again, whole } = await sink.send(items, new AbortController().signal)
      assert.equal(whole, undefined)
      const [lost, retried] = [new Set(refused.map(({ index }) => index)), new Set(again?.indexes)]
      for (const [index, { body }] of items.entries()) {
        const became = [there.includes(body), lost.has(index), retried.has(index)].filter(Boolean)
        assert.equal(became.length, 1, `entry ${index}`)
      }
    }),
    { numRuns: count({ fast: 100, ci: 2000 }) },
  )
})

test('a service that never answers is left when the try ends', async (t) => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.closeAllConnections())
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const sink = await sinkAt(`http://127.0.0.1:${port}/`)(undefined)
  const end = new AbortController()
  silent.once('request', () => end.abort())
  const { again } = await sink.send([itemOf(0, '2026-11-21T10:00:00.000Z')], end.signal)
  assert.equal(again?.reason, 'AbortError')
  await sink.close()
})
