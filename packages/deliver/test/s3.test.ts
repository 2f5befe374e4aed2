/** S3 through the official SDK, against a loopback server that checks each signature and keeps to conditional writes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLedger } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import {
  append,
  finish,
  linesOf,
  makePlace,
  openAt,
  type Peer,
  planOf,
  sinkContract,
  start,
  until,
} from '../../../testkit/src/sink-contract.ts'
import { count, later } from '../../../testkit/src/suite.ts'
import { type Item, type OpenSink, type Outcome, readSinkStatus, reconcile, sinkPlaces, writeRequest } from '../src/index.ts'
import { s3Sink } from '../src/sinks/s3.ts'
import { s3Holdings } from '../src/sinks/s3-holdings.ts'
import type { S3Options } from '../src/sinks/s3-objects.ts'
import { CREDENTIALS, openS3Peer, REGION, type S3Peer } from './support/aws-peer.ts'
import { openMemory, type StoredBody } from './support/s3-memory.ts'

const ORIGIN = 'sworn.local/test'
const SEGMENTS = `logs/${ORIGIN}/segments/`
const NOW = Date.parse('2026-11-21T10:00:00.000Z')

function sinkAt(url: string, options: Partial<S3Options> = {}): OpenSink {
  const common = { bucket: 'audit', prefix: 'logs/', origin: ORIGIN, extension: 'jsonl', mediaType: 'application/x-ndjson', now: () => NOW }
  return s3Sink({ ...common, region: REGION, endpoint: url, credentials: CREDENTIALS, ...options })
}

/** The lines of all objects, by key. */
function linesIn({ objects }: S3Peer): string[] {
  const segments = [...objects].filter(([key]) => key.startsWith(SEGMENTS)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return segments.flatMap(([, { body }]) => body.split('\n').slice(0, -1))
}

async function peerOf(): Promise<Peer> {
  const peer = await openS3Peer()
  return {
    open: sinkAt(peer.url),
    shape: { records: 'all' },
    faults: ['down', 'error', 'lying', 'lost answer'],
    fail: peer.fail,
    held: () => linesIn(peer).map((line) => JSON.parse(line).seq),
    drops: true,
    close: peer.close,
  }
}
sinkContract('s3', peerOf, later)

interface Run {
  readonly peer: S3Peer
  /** Delivers all there is. */
  deliver(options?: { open?: OpenSink; items?: number }): Promise<void>
  readonly place: ReturnType<typeof makePlace>
  readonly ledger: ReturnType<typeof openAt>
}

async function withLedger(t: { after(close: () => Promise<void>): void }, events: number): Promise<Run> {
  const peer = await openS3Peer()
  t.after(peer.close)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, events)
  return {
    peer,
    place,
    ledger,
    deliver: ({ open = sinkAt(peer.url), items = 100 } = {}) =>
      finish(start(place.path, ledger.info.origin, [planOf({ open, shape: { records: 'all' } }, { batch: { items, lingerMs: 0 } })])),
  }
}

test('the objects are the ledger byte for byte, and the newest checkpoint lies beside them under its size', async (t) => {
  const { peer, place, ledger, deliver } = await withLedger(t, 30)
  ledger.close() // signs
  await deliver()
  assert.deepEqual(linesIn(peer), linesOf(place.path))
  const checkpoints = [...peer.objects].filter(([key]) => key.startsWith(`logs/${ORIGIN}/checkpoints/`))
  const notes = linesOf(place.path)
    .map((line) => JSON.parse(line))
    .filter(({ event_type }) => event_type === 'log.checkpoint')
    .map(({ checkpoint }) => checkpoint)
  assert.deepEqual(
    checkpoints.map(([, { body }]) => body),
    notes.slice(-1),
  )
  assert.equal(Number(checkpoints[0]![0].slice(-20)), Number(notes.at(-1).split('\n')[1]))
})

test('a checkpoint that is not taken is sent again without asking what else lies there', async (t) => {
  const { place, ledger } = await withLedger(t, 5)
  ledger.close()
  let left = 3
  const peer = await openS3Peer(({ method, path }) =>
    method === 'PUT' && path.includes('/checkpoints/') && left-- > 0 ? { status: 503, body: '', headers: {} } : undefined,
  )
  t.after(peer.close)
  await finish(
    start(place.path, ledger.info.origin, [planOf({ open: sinkAt(peer.url), shape: { records: 'all' } }, { batch: { lingerMs: 0 } })]),
  )
  assert.deepEqual([left < 0, linesIn(peer)], [true, linesOf(place.path)])
  assert.equal(peer.seen.filter(({ path }) => path.includes('list-type=2')).length, 1) // at the start
})

test('a lock and an encryption are asked for with every object; without them nothing is', async (t) => {
  const { peer, place, deliver } = await withLedger(t, 3)
  const lock = { mode: 'COMPLIANCE', days: 7 } as const
  await deliver({ open: sinkAt(peer.url, { lock, encryption: { kind: 'aws:kms', keyId: 'k-1' } }) })
  const [locked] = peer.objects.values()
  const asked = (headers: Record<string, unknown>) => [
    headers['x-amz-object-lock-mode'],
    headers['x-amz-object-lock-retain-until-date'],
    headers['x-amz-server-side-encryption'],
    headers['x-amz-server-side-encryption-aws-kms-key-id'],
  ]
  assert.deepEqual(asked(locked!.headers), ['COMPLIANCE', '2026-11-28T10:00:00Z', 'aws:kms', 'k-1'])
  peer.objects.clear()
  writeRequest(sinkPlaces(place.path, 'test').request, { from: 0 })
  await deliver()
  assert.deepEqual(asked([...peer.objects.values()][0]!.headers), [undefined, undefined, undefined, undefined])
})

test('whichever way batches are cut after a crash, every line is there once', async (t) => {
  const { peer, place, deliver } = await withLedger(t, 20)
  await deliver({ items: 8 })
  const total = linesOf(place.path).length
  for (const [from, items] of [
    [0, 3],
    [5, 4],
    [13, 50],
  ] as const) {
    writeRequest(sinkPlaces(place.path, 'test').request, { from })
    await deliver({ items })
    assert.deepEqual(linesIn(peer), linesOf(place.path), `from ${from}, ${items} at a time`)
  }
  assert.equal([...peer.objects.keys()].filter((key) => key.startsWith(SEGMENTS)).length, Math.ceil(total / 8))
})

test('another history under the same key is trouble, and nothing of it is replaced', async (t) => {
  const { peer, place, ledger } = await withLedger(t, 5)
  const key = `${SEGMENTS}${'0'.repeat(20)}.jsonl`
  peer.objects.set(key, { body: '{"seq":0}\n', headers: { 'x-amz-meta-sworn-to': '0' } })
  const delivery = start(place.path, ledger.info.origin, [planOf({ open: sinkAt(peer.url), shape: { records: 'all' } })])
  const reason = async () => (await readSinkStatus(place.path, NOW))[0]?.trouble?.reason
  await until(async () => (await reason()) !== undefined)
  assert.equal(await reason(), 'another object lies under the key of these entries')
  await delivery.close()
  assert.equal(peer.objects.get(key)!.body, '{"seq":0}\n')
})

test('however batches are cut, answers lost, processes killed and entries replayed, every line is in one object', async () => {
  const step = fc.record({
    items: fc.integer({ min: 1, max: 9 }),
    fault: fc.constantFrom('none', 'none', 'down', 'lost answer'),
    after: fc.oneof(
      { weight: 6, arbitrary: fc.constant('go on') },
      { weight: 2, arbitrary: fc.constant('crash') },
      fc.constant('forget'),
      fc.nat(40),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const objects = new Map<string, StoredBody>()
      const fault: Parameters<typeof openMemory>[1] = { next: 'none' }
      const open = sinkAt('http://127.0.0.1/', { driver: async () => openMemory(objects, fault) })
      const items = Array.from({ length: 40 }, (_, seq) => itemOf(seq))
      let state: { next: number; mark?: Outcome['mark'] } = { next: 0 }
      let sink = await open(undefined)
      for (const { items: count, fault: next, after } of [...steps, ...Array(40).fill({ items: 7, fault: 'none', after: 'go on' })]) {
        const batch = items.slice(state.next, state.next + count)
        fault.next = next
        const outcome = batch.length > 0 ? await sink.send(batch, new AbortController().signal) : {}
        fault.next = 'none'
        if (!outcome.again && after !== 'crash') state = { next: state.next + batch.length, mark: outcome.mark ?? state.mark }
        if (after === 'forget') state = { next: state.next }
        if (typeof after === 'number') state = { ...state, next: Math.min(after, state.next) }
        if (after !== 'go on') sink = await open(state.mark)
      }
      const lines = [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { body }]) => Buffer.from(body).toString('utf8'))
      assert.equal(lines.join(''), items.map(({ body }) => `${body}\n`).join(''))
    }),
    { numRuns: count({ fast: 200, ci: 5000 }) },
  )
})

function itemOf(seq: number): Item {
  const line = `{"seq":${seq}}`
  return { seq, key: `${ORIGIN}/${seq}`, entryHash: '', event: { event_type: 'x' }, body: line, line }
}

test('an object that claims more entries than it has swallows none', async (t) => {
  const peer = await openS3Peer()
  t.after(peer.close)
  peer.objects.set(`${SEGMENTS}${'0'.repeat(20)}.jsonl`, { body: '{"seq":0}\n{"seq":1}\n', headers: { 'x-amz-meta-sworn-to': '1e15' } })
  const sink = await sinkAt(peer.url)(undefined)
  t.after(sink.close)
  assert.deepEqual((await sink.send([itemOf(0)], AbortSignal.timeout(5000))).mark, { from: 0, to: 1e15 })
  assert.equal(
    (await sink.send([itemOf(1), itemOf(2)], AbortSignal.timeout(5000))).again?.reason,
    'another object lies under the key of these entries',
  )
  assert.equal((await sink.send([itemOf(2)], AbortSignal.timeout(5000))).again?.indexes.length, 1)
})

test('an object that says nothing of its end, or is longer than any of ours, is not taken for ours', async (t) => {
  const key = `${SEGMENTS}${'0'.repeat(20)}.jsonl`
  const peer = await openS3Peer()
  t.after(peer.close)
  const sink = await sinkAt(peer.url)(undefined)
  t.after(sink.close)
  const reason = async () => (await sink.send([itemOf(0)], AbortSignal.timeout(5000))).again?.reason
  peer.objects.set(key, { body: '{"seq":0}\n', headers: {} })
  assert.equal(await reason(), 'another object lies under the key of these entries')
  peer.objects.set(key, { body: `{"seq":0}\n${'x'.repeat(16 << 20)}`, headers: { 'x-amz-meta-sworn-to': '9' } })
  assert.equal(await reason(), 'an object of more than 16 MiB')
})

const answers: [number, string, string][] = [
  [503, 'SlowDown', 'HTTP 503 SlowDown'],
  [301, 'PermanentRedirect', 'HTTP 301 PermanentRedirect'],
  [403, 'AccessDenied', 'HTTP 403 AccessDenied'],
  [409, 'ConditionalRequestConflict', 'HTTP 409 ConditionalRequestConflict'],
  [404, 'NoSuchBucket', 'HTTP 404 NoSuchBucket'],
  [200, 'InternalError', 'HTTP 503 InternalError'],
]
for (const [status, code, reason] of answers) {
  test(`an answer of ${status} ${code} is tried again, said as it is, and parks nothing`, async (t) => {
    let left = 2
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>s3cret</Message></Error>`
    const peer = await openS3Peer(() => (left-- > 0 ? { status, body, headers: { 'content-type': 'application/xml' } } : undefined))
    t.after(peer.close)
    const sink = await sinkAt(peer.url)(undefined)
    t.after(sink.close)
    const item = itemOf(4)
    const outcomes = [await sink.send([item], AbortSignal.timeout(5000)), await sink.send([item], AbortSignal.timeout(5000))]
    assert.deepEqual(outcomes[0], { again: { indexes: [0], reason, afterMs: undefined } })
    assert.deepEqual(outcomes[0], outcomes[1])
    assert.deepEqual((await sink.send([item], AbortSignal.timeout(5000))).mark, { from: 4, to: 4 })
  })
}

test('a 200 without an ETag is none of S3', async (t) => {
  const peer = await openS3Peer(() => ({ status: 200, body: '', headers: { 'content-type': 'text/html' } }))
  t.after(peer.close)
  const sink = await sinkAt(peer.url)(undefined)
  t.after(sink.close)
  const item = itemOf(0)
  assert.equal((await sink.send([item], AbortSignal.timeout(5000))).again?.reason, 'an answer without an ETag')
})

test('an answer that is cut off is none', async (t) => {
  const peer = await openS3Peer(() => ({ status: 403, body: '<?xml version="1.0"?><Err', headers: { 'content-type': 'application/xml' } }))
  t.after(peer.close)
  const sink = await sinkAt(peer.url)(undefined)
  t.after(sink.close)
  const item = itemOf(0)
  const { again } = await sink.send([item], AbortSignal.timeout(5000))
  assert.match(again!.reason, /^HTTP 403/)
})

test('an address that may not be reached is refused before anything is sent', async () => {
  for (const url of ['http://169.254.169.254/', 'ftp://s3.example/'])
    await assert.rejects(sinkAt(url)(undefined), (e) => SwornError.is(e, 'CONFIG_INVALID'))
})

test('a probe that is told no says so', async (t) => {
  const peer = await openS3Peer(() => ({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>', headers: {} }))
  t.after(peer.close)
  const sink = await sinkAt(peer.url)(undefined)
  t.after(sink.close)
  assert.deepEqual(await sink.probe!(AbortSignal.timeout(5000)), { wrong: 'HTTP 403 AccessDenied' })
})

/** What somebody may do to the objects; gives what has to be named. */
const alterations: Record<
  string,
  (peer: S3Peer, keys: string[]) => Partial<Record<'missing' | 'extra' | 'altered', number[]>> & { unplaced?: number }
> = {
  'an object that is gone': ({ objects }, keys) => {
    objects.delete(keys[1]!)
    return { missing: [8, 9, 10, 11, 12, 13, 14, 15] }
  },
  'a byte that is another': ({ objects }, keys) => {
    const there = objects.get(keys[1]!)!
    objects.set(keys[1]!, { ...there, body: there.body.replace('"tool":"tool_8"', '"tool":"tool_9"') })
    return { altered: [10] }
  },
  'a line that is cut off': ({ objects }, keys) => {
    const there = objects.get(keys[0]!)!
    objects.set(keys[0]!, { ...there, body: there.body.slice(0, -10) })
    return { missing: [7], unplaced: 1 }
  },
  'the lines of one object in another': ({ objects }, keys) => {
    objects.set(keys[1]!, objects.get(keys[0]!)!)
    return { missing: [8, 9, 10, 11, 12, 13, 14, 15], unplaced: 8 }
  },
  'an object of another name': ({ objects }) => {
    objects.set(`${SEGMENTS}note.txt`, { body: 'x\n', headers: {} })
    return { unplaced: 1 }
  },
  'a line twice': ({ objects }, keys) => {
    const there = objects.get(keys[0]!)!
    objects.set(keys[0]!, { ...there, body: there.body + there.body.slice(0, there.body.indexOf('\n') + 1) })
    return { extra: [0] }
  },
}

test('reconciliation finds an archive equal by its lines, and names what somebody did to it', async (t) => {
  const { peer, place, ledger, deliver } = await withLedger(t, 20)
  ledger.close()
  await deliver({ items: 8 })
  const common = {
    bucket: 'audit',
    prefix: 'logs/',
    origin: ORIGIN,
    extension: 'jsonl',
    region: REGION,
    endpoint: peer.url,
    credentials: CREDENTIALS,
  }
  const plan = { ...planOf({ open: sinkAt(peer.url), shape: { records: 'all' } }), holdings: s3Holdings(common) }
  const look = () =>
    reconcile({
      files: findLedger(place.path, '/'),
      ...{ origin: ledger.info.origin, version: '0', plan },
      places: sinkPlaces(place.path, 'test'),
      signal: AbortSignal.timeout(10_000),
    })
  const equal = await look()
  assert.deepEqual([equal.claim, equal.equal, equal.tree?.holds, equal.unplaced], ['lines', linesOf(place.path).length, true, 0])
  const before = new Map(peer.objects)
  const keys = [...before.keys()].filter((key) => key.startsWith(SEGMENTS)).toSorted()
  for (const [name, alter] of Object.entries(alterations)) {
    const { missing, extra, altered, unplaced } = { missing: [], extra: [], altered: [], unplaced: 0, ...alter(peer, keys) }
    const found = await look()
    assert.deepEqual([found.missing.seqs, found.extra.seqs, found.altered.seqs, found.unplaced], [missing, extra, altered, unplaced], name)
    peer.objects.clear()
    for (const [key, object] of before) peer.objects.set(key, object)
  }
})
