/** The PostgreSQL sink against a real server on 127.0.0.1:5432; said loudly where none runs. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
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
import { type OpenSink, probeSinks, systemClock } from '../src/index.ts'
import type { Item } from '../src/sink.ts'
import { postgresSink } from '../src/sinks/postgres.ts'
import { copyRows } from '../src/sinks/postgres-rows.ts'
import { DSN, skippedWithout, withClient } from './support/postgres.ts'

const skip = await skippedWithout('the PostgreSQL sink was')

const newTable = () => `sworn_test_${randomBytes(6).toString('hex')}`
const dropTables = (table: string) =>
  withClient((client) => client.query(`DROP TABLE IF EXISTS ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint CASCADE`))
const seqsIn = (table: string) =>
  withClient((client) => client.query(`SELECT seq FROM ${table} ORDER BY seq`)).then(
    ({ rows }) => rows.map(({ seq }) => Number(seq)),
    () => [], // not made yet
  )
const killSessions = (table: string) =>
  withClient((client) =>
    client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()', [`%${table}%`]),
  )

function peerOf(): Peer {
  const table = newTable()
  const origin = 'sworn.local/test'
  let kills = 0
  const inner = postgresSink({ connection: DSN, table, origin })
  const open: OpenSink = async (mark) => {
    const sink = await inner(mark)
    return {
      ...sink,
      async send(items, signal) {
        const outcome = sink.send(items, signal)
        if (kills-- > 0) await killSessions(table)
        return await outcome
      },
    }
  }
  return {
    open,
    shape: { records: 'all' },
    faults: ['down'],
    fail: (_, times) => void (kills = times),
    held: () => seqsIn(table),
    drops: true,
    close: () => dropTables(table).then(() => {}),
  }
}

if (skip) test('the PostgreSQL sink', { skip }, () => {})
else sinkContract('postgres', peerOf)

test('the copy is the ledger, line by line; what somebody replays is not there twice, what was deleted comes back', { skip }, async (t) => {
  const table = newTable()
  t.after(() => dropTables(table))
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 50)
  const { origin } = ledger.info
  const open = postgresSink({ connection: DSN, table, origin })
  const plan = planOf({ open, shape: { records: 'all' } })
  await finish(start(place.path, origin, [plan]))
  const lines = () =>
    withClient((client) => client.query(`SELECT line FROM ${table} WHERE origin = $1 ORDER BY seq`, [origin])).then(({ rows }) =>
      rows.map(({ line }) => line),
    )
  assert.deepEqual(await lines(), linesOf(place.path))
  await withClient((client) => client.query(`DELETE FROM ${table} WHERE seq BETWEEN 10 AND 20`))
  const { sinkPlaces, writeRequest } = await import('../src/index.ts')
  writeRequest(sinkPlaces(place.path, 'test').request, { from: 0 })
  await finish(start(place.path, origin, [plan]))
  assert.deepEqual(await lines(), linesOf(place.path))
})

test('a server that is not there is trouble without the connection in it', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 1)
  const open = postgresSink({ connection: 'postgres://u:s3cr3t@127.0.0.1:1/x', table: 'x', origin: ledger.info.origin })
  const delivery = start(place.path, ledger.info.origin, [planOf({ open })])
  const { readSinkStatus } = await import('../src/index.ts')
  await until(async () => (await readSinkStatus(place.path, Date.now()))[0]?.trouble !== undefined)
  const [status] = await readSinkStatus(place.path, Date.now())
  await delivery.close()
  assert.equal(status!.trouble!.reason, 'ECONNREFUSED')
})

test('a probe makes tables and a row, and leaves neither', { skip }, async () => {
  const table = newTable()
  const plan = planOf({ open: postgresSink({ connection: DSN, table, origin: 'sworn.local/x' }) })
  const [result] = await probeSinks([plan], { timeoutMs: 10_000, clock: systemClock })
  assert.deepEqual([result!.ok, result!.detail], [true, 'written, read back and rolled back'])
  const { rows } = await withClient((client) => client.query('SELECT 1 FROM pg_class WHERE relname LIKE $1', [`${table}%`]))
  assert.equal(rows.length, 0)
})

test('a row holds the line byte by byte and the columns as they are, whatever is in them', () => {
  const readField = (text: string) => text.replace(/\\(.)/gs, (_, of: string) => ({ t: '\t', n: '\n', r: '\r' })[of] ?? of)
  const text = fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', 'é', '😀', 'a', 't', 'n') })
  fc.assert(
    fc.property(fc.array(fc.record({ line: text, tool: text })), (entries) => {
      const items = entries.map(({ line, tool }, seq): Item => {
        return { seq, key: '', entryHash: 'h', event: { event_type: 'x', tool }, body: line, line, bytes: Buffer.from(line) }
      })
      const rows = copyRows(items, 'o/\t').bytes.toString().split('\n').slice(0, -1)
      const found = rows.map((row) => row.split('\t').map(readField))
      const columns = (tool: string) => ['x', 'N', 'N', tool, 'N', 'N', 'N', 'N', 'N'] // \N, which is NULL
      const expected = entries.map(({ line, tool }, seq) => ['o/\t', String(seq), '1970-01-01T00:00:00.000Z', 'h', ...columns(tool), line])
      assert.deepEqual(found, expected)
    }),
  )
})
