/** Closed segments in S3: what the recorder closed, whole, each verified alone; and the tables beside them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { findLedger } from '@sworn/recorder/segments'
import { missing, peerFolder } from '../../../testkit/src/peer.ts'
import {
  append,
  finish,
  linesOf,
  makePlace,
  openAt,
  type Peer,
  type Place,
  planOf,
  seqsOf,
  sinkContract,
  start,
  until,
} from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { sworn } from '../../cli/test/support/io.ts'
import { loadDuckdb, type OpenSink, readSinkStatus, reconcile, sinkPlaces, writeRequest } from '../src/index.ts'
import { s3Holdings } from '../src/sinks/s3-holdings.ts'
import { type SegmentsOptions, s3SegmentSink } from '../src/sinks/s3-segments.ts'
import { CREDENTIALS, openS3Peer, REGION, type S3Peer } from './support/aws-peer.ts'
import { openMemory, type StoredBody } from './support/s3-memory.ts'

const ORIGIN = 'sworn.local/test'
const BASE = `logs/${ORIGIN}/`
const NOW = Date.parse('2026-11-21T10:00:00.000Z')
/** A few entries fill it. */
const SEGMENT_BYTES = 2048

const optionsAt = (url: string) => ({
  ...{ bucket: 'audit', prefix: 'logs/', origin: ORIGIN, extension: 'jsonl', mediaType: 'application/x-ndjson', now: () => NOW },
  ...{ region: REGION, endpoint: url, credentials: CREDENTIALS },
})

function sinkAt(url: string, { path }: Place, options: Partial<SegmentsOptions> = {}): OpenSink {
  return s3SegmentSink({ ...optionsAt(url), ledgerPath: path, ...options })
}

const segmentsIn = ({ objects }: S3Peer) =>
  [...objects].filter(([key]) => key.startsWith(`${BASE}segments/`)).toSorted(([a], [b]) => (a < b ? -1 : 1))
const linesIn = (peer: S3Peer) => segmentsIn(peer).flatMap(([, { body }]) => body.split('\n').slice(0, -1))

async function peerOf(place: Place): Promise<Peer> {
  const peer = await openS3Peer()
  return {
    open: sinkAt(peer.url, place),
    shape: { records: 'all' },
    faults: ['down', 'error', 'lying', 'lost answer'],
    fail: peer.fail,
    held: () => linesIn(peer).map((line) => JSON.parse(line).seq),
    drops: true,
    segmentBytes: SEGMENT_BYTES,
    close: peer.close,
  }
}
sinkContract('s3 segments', peerOf, later)

interface Run {
  readonly peer: S3Peer
  readonly place: Place
  readonly ledger: ReturnType<typeof openAt>
  readonly plan: (open?: OpenSink) => ReturnType<typeof planOf>
  /** Delivers all that is closed. */
  deliver(open?: OpenSink): Promise<void>
}

async function withLedger(t: TestContext, events: number): Promise<Run> {
  const peer = await openS3Peer()
  const place = makePlace()
  t.after(() => peer.close())
  t.after(() => rmSync(dirname(place.path), { recursive: true, force: true }))
  const ledger = openAt(place, { rotateBytes: SEGMENT_BYTES })
  append(ledger, 0, events)
  const plan = (open = sinkAt(peer.url, place)) =>
    planOf({ open, shape: { records: 'all' }, segmentBytes: SEGMENT_BYTES }, { holdings: s3Holdings(optionsAt(peer.url)) })
  return { peer, place, ledger, plan, deliver: (open) => finish(start(place.path, ledger.info.origin, [plan(open)])) }
}

test('the objects are the closed segments under their names, and the newest checkpoint lies beside them', async (t) => {
  const { peer, place, ledger, deliver } = await withLedger(t, 40)
  ledger.close()
  await deliver()
  const folder = join(place.path, 'segments')
  const names = readdirSync(folder).toSorted().slice(0, -1)
  assert.ok(names.length > 3)
  assert.deepEqual(
    segmentsIn(peer).map(([key, { body }]) => [basename(key), body]),
    names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
  const [status] = await readSinkStatus(place.path, NOW)
  assert.deepEqual([status?.behind, status?.behindSeconds, status?.trouble], [0, 0, undefined])
})

test('the segment that is written is not behind; a closed one is, from the moment at which it was closed', async (t) => {
  const { peer, place, ledger, plan, deliver } = await withLedger(t, 40)
  await deliver()
  const status = async (now = NOW) => (await readSinkStatus(place.path, now))[0]
  const written = linesOf(place.path).length - linesOf(place.path, 'closed').length
  assert.ok(written > 0)
  assert.deepEqual([(await status())?.behind, (await status())?.behindSeconds], [0, 0])
  peer.fail('down', Number.POSITIVE_INFINITY)
  append(ledger, 40, 20)
  ledger.close()
  const delivery = start(place.path, ledger.info.origin, [plan()])
  await until(async () => (await status())?.trouble !== undefined)
  await delivery.close()
  const { next, behind } = (await status())!
  assert.equal(behind, linesOf(place.path, 'closed').length - next)
  const starts = readdirSync(join(place.path, 'segments')).map((name) => Number(name.slice(0, 20)))
  const closedBy = linesOf(place.path)[Math.min(...starts.filter((start) => start > next))]!
  assert.equal((await status(Date.parse(JSON.parse(closedBy).timestamp) + 60_000))?.behindSeconds, 60)
})

test('a folder with the objects verifies as a ledger, one object alone by its chain, and a change in it is found', async (t) => {
  const { peer, ledger, place, deliver } = await withLedger(t, 40)
  ledger.close() // signs
  const again = openAt(place, { rotateBytes: SEGMENT_BYTES })
  append(again, 40, 20)
  again.close()
  await deliver()
  const restored = mkdtempSync(join(tmpdir(), 'sworn-restored-'))
  t.after(() => rmSync(restored, { recursive: true, force: true }))
  for (const [key, { body }] of peer.objects) {
    const path = join(restored, key.slice(BASE.length))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, body)
  }
  const verify = (path: string, ...flags: string[]) => sworn(['verify', path, ...flags], { home: place.home })
  const [whole, last = ''] = [
    await verify(restored, '--require', 'signed'),
    join(restored, 'segments', basename(segmentsIn(peer).at(-1)![0])),
  ]
  assert.equal(whole.code, 0, whole.out + whole.err)
  const lone = await verify(last, '--require', 'chain')
  assert.equal(lone.code, 0, lone.out + lone.err)
  writeFileSync(last, readFileSync(last, 'utf8').replace('"n":', '"m":'))
  assert.equal((await verify(last, '--require', 'chain')).code, 1)
  assert.equal((await verify(restored)).code, 1)
})

test('reconciliation finds the archive equal and the newest segment not due; a replay mends what is gone, and shows what was changed', async (t) => {
  const { peer, place, ledger, plan, deliver } = await withLedger(t, 40)
  await deliver()
  const look = () =>
    reconcile({
      files: findLedger(place.path, '/'),
      ...{ origin: ledger.info.origin, version: '0', plan: plan() },
      places: sinkPlaces(place.path, 'test'),
      signal: AbortSignal.timeout(60_000),
    })
  const closed = linesOf(place.path, 'closed').length
  const { claim, equal, waiting, missing: gone, extra, altered } = await look()
  assert.deepEqual([claim, equal, waiting], ['lines', closed, linesOf(place.path).length - closed])
  assert.deepEqual([gone.count, extra.count, altered.count], [0, 0, 0])

  const [[first, object], [second, other]] = [segmentsIn(peer)[0]!, segmentsIn(peer)[1]!]
  const seqs = object.body
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).seq)
  peer.objects.delete(first)
  assert.deepEqual((await look()).missing.seqs, seqs)
  writeRequest(sinkPlaces(place.path, 'test').request, { from: 0 })
  await deliver()
  assert.deepEqual((await look()).equal, closed)

  peer.objects.set(second, { headers: {}, body: other.body.replace('"tool":"tool_', '"tool":"t00l_') })
  assert.equal((await look()).altered.count, 1)
  writeRequest(sinkPlaces(place.path, 'test').request, { from: 0 })
  const delivery = start(place.path, ledger.info.origin, [plan()])
  const reason = async () => (await readSinkStatus(place.path, NOW))[0]?.trouble?.reason
  await until(async () => (await reason()) !== undefined)
  await delivery.close()
  assert.equal(await reason(), 'another object lies under the key of these entries')
})

test('entries whose segment was pruned between reading and storing are parked, and what follows goes on', async (t) => {
  const { peer, place, ledger, deliver } = await withLedger(t, 40)
  ledger.close()
  const folder = join(place.path, 'segments')
  const [gone = '', next = ''] = readdirSync(folder).toSorted()
  await deliver(async (mark) => {
    const sink = await sinkAt(peer.url, place)(mark)
    return {
      ...sink,
      async send(items, signal) {
        rmSync(join(folder, gone), { force: true })
        return sink.send(items, signal)
      },
    }
  })
  const firstHeld = JSON.parse(linesIn(peer)[0]!).seq
  assert.equal(firstHeld, Number(next.slice(0, 20)))
  const [status] = await readSinkStatus(place.path, NOW)
  assert.deepEqual([status?.parked, status?.lost], [firstHeld, 0])
  assert.match(readFileSync(sinkPlaces(place.path, 'test').dead, 'utf8'), /its segment was pruned before it was stored/)
})

const noDuckdb = missing('duckdb')

test('a table of its events lies beside each segment', { skip: noDuckdb }, async (t) => {
  const { place, ledger, deliver } = await withLedger(t, 40)
  ledger.close()
  const duckdb = await loadDuckdb(pathToFileURL(createRequire(peerFolder('duckdb')).resolve('@duckdb/node-api')).href)
  const objects = new Map<string, StoredBody>()
  const open = sinkAt('http://127.0.0.1/', place, { driver: async () => openMemory(objects), duckdb: async () => duckdb })
  await deliver(open)
  const folder = mkdtempSync(join(tmpdir(), 'sworn-tables-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const keys = [...objects.keys()].filter((key) => key.startsWith(`${BASE}parquet/`))
  assert.equal(keys.length, [...objects.keys()].filter((key) => key.startsWith(`${BASE}segments/`)).length)
  for (const key of keys) writeFileSync(join(folder, basename(key)), objects.get(key)!.body)
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const found = await connection.runAndReadAll(
    `SELECT seq::INTEGER FROM read_parquet('${folder}/*.parquet') WHERE tool LIKE 'tool_%' ORDER BY seq`,
  )
  connection.closeSync()
  instance.closeSync()
  assert.deepEqual(found.getRows().flat(), seqsOf(place.path, 'events', 'closed'))
  assert.deepEqual(
    readdirSync(join(place.path, 'sinks')).filter((name) => name.startsWith('.')),
    [],
  )
})
