/** Aegis's table in a real SQLite: the contract, rows as the export makes them, and a table that Aegis made itself. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { DIALECTS } from '@sworn/dialects'
import { findLedger } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import {
  append,
  finish,
  linesOf,
  makePlace,
  openAt,
  type Peer,
  planOf,
  seqsOf,
  sinkContract,
  start,
} from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { type OpenSink, reconcile, sinkPlaces, writeRequest } from '../src/index.ts'
import { jsonlSink } from '../src/sinks/jsonl.ts'
import { loggerSink } from '../src/sinks/logger.ts'
import { sqliteSink } from '../src/sinks/sqlite.ts'
import { sqliteHoldings } from '../src/sinks/sqlite-holdings.ts'

const ORIGIN = 'sworn.local/test'
const SHAPE = { records: 'events', dialect: 'aegis-rows' } as const
const newPath = () => join(mkdtempSync(join(tmpdir(), 'sworn-sqlite-')), 'aegis', 'audit.db')

function query(path: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

const heldIn = (path: string) =>
  existsSync(path) ? query(path, 'SELECT seq FROM sworn_entry JOIN audit_log USING (id) ORDER BY id').map(({ seq }) => Number(seq)) : []

/** `down`: another writer holds the database. `lost answer`: it is stored, and that is not heard. */
function peerOf(): Peer {
  const path = newPath()
  const armed = { fault: 'down', left: 0 }
  const inner = sqliteSink({ path, origin: ORIGIN })
  const open: OpenSink = async (mark) => {
    const sink = await inner(mark)
    return {
      ...sink,
      async send(items, signal) {
        if (armed.left-- <= 0) return await sink.send(items, signal)
        if (armed.fault === 'lost answer') {
          await sink.send(items, signal)
          throw new Error('the answer is lost')
        }
        const other = new DatabaseSync(path)
        other.exec('BEGIN IMMEDIATE')
        const outcome = await sink.send(items, signal)
        other.close()
        assert.equal(outcome.again?.reason, 'SQLite: database is locked')
        return outcome
      },
    }
  }
  return {
    open,
    shape: SHAPE,
    faults: ['down', 'lost answer'],
    fail: (fault, left) => void Object.assign(armed, { fault, left }),
    held: () => heldIn(path),
    drops: true,
    close: () => rmSync(join(path, '..', '..'), { recursive: true, force: true }),
  }
}
sinkContract('sqlite', peerOf, later)

test('the rows are those of the dialect, in a private file; a deleted row comes back when it is delivered again', async () => {
  const [place, path] = [makePlace(), newPath()]
  const ledger = openAt(place)
  append(ledger, 0, 12)
  const plan = planOf({ open: sqliteSink({ path, origin: ORIGIN }), shape: SHAPE })
  await finish(start(place.path, ledger.info.origin, [plan]))
  const writer = DIALECTS.find(({ name }) => name === 'aegis-rows')!.openWriter({
    primitives: nodePrimitives,
    version: '0',
    origin: ORIGIN,
  })
  const expected: object[] = []
  for (const line of linesOf(place.path)) {
    const entry = JSON.parse(line)
    if (!entry.event_type.startsWith('log.')) expected.push(JSON.parse((await writer.write(entry)).lines[0]!))
  }
  const rows = () => query(path, 'SELECT * FROM audit_log ORDER BY id').map((row) => ({ ...row }))
  assert.deepEqual(rows(), expected)
  for (const file of [path, `${path}-wal`].filter(existsSync)) assert.equal(statSync(file).mode & 0o777, 0o600)
  const db = new DatabaseSync(path)
  db.exec('DELETE FROM audit_log WHERE id IN (3, 5)')
  db.close()
  writeRequest(sinkPlaces(place.path, 'test').request, { from: 0 })
  await finish(start(place.path, ledger.info.origin, [plan]))
  assert.deepEqual(
    heldIn(path).toSorted((a, b) => a - b),
    seqsOf(place.path, 'events'),
  )
  assert.equal(rows().length, expected.length)
})

test('rows that Aegis wrote itself stay, and two ledgers share the table', async () => {
  const path = newPath()
  const open = (origin: string) => planOf({ open: sqliteSink({ path, origin }), shape: SHAPE })
  for (const [origin, count] of [
    ['a.example/1', 3],
    ['b.example/2', 4],
  ] as const) {
    const place = makePlace()
    const ledger = openAt(place)
    append(ledger, 0, count)
    await finish(start(place.path, ledger.info.origin, [open(origin)]))
    if (origin === 'a.example/1') {
      const db = new DatabaseSync(path)
      db.exec("INSERT INTO audit_log (session_id, action_type, approval) VALUES ('theirs', 'delete_user', 'block')")
      db.close()
    }
  }
  assert.deepEqual(
    query(path, 'SELECT origin, count(*) AS n FROM audit_log LEFT JOIN sworn_entry USING (id) GROUP BY origin').map(({ origin, n }) => [
      origin,
      n,
    ]),
    [
      [null, 1],
      ['a.example/1', 3],
      ['b.example/2', 4],
    ],
  )
})

test('three backends at once, as Aegis promises them: the table, the lines and the logger each hold every event', async () => {
  const [place, path] = [makePlace(), newPath()]
  const ledger = openAt(place)
  const copy = join(path, '..', 'copy.jsonl')
  const logged: number[] = []
  const take = (members: object) => void logged.push((members as { seq: number }).seq)
  append(ledger, 0, 30)
  const plans = [
    { ...planOf({ open: sqliteSink({ path, origin: ORIGIN }), shape: SHAPE }), name: 'table' },
    { ...planOf({ open: jsonlSink({ path: copy, now: Date.now }) }), name: 'lines' },
    { ...planOf({ open: loggerSink({ debug: take, info: take, warn: take, error: take }) }), name: 'logger' },
  ]
  await finish(start(place.path, ledger.info.origin, plans))
  const expected = seqsOf(place.path, 'events')
  assert.equal(expected.length, 30)
  assert.deepEqual(heldIn(path), expected)
  assert.deepEqual(
    readFileSync(copy, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).seq),
    expected,
  )
  assert.deepEqual(logged, expected)
})

test('a probe leaves nothing behind', async () => {
  const path = newPath()
  const sink = await sqliteSink({ path, origin: ORIGIN })(undefined)
  assert.deepEqual(await sink.probe!(AbortSignal.timeout(1000)), { shown: 'a row was written, read back and taken away again' })
  await sink.close()
  assert.equal(query(path, 'SELECT count(*) AS n FROM audit_log')[0]!.n, 0)
})

test('a file that is no database is refused by its path, and stays as it is', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sworn-sqlite-')), 'notes.txt')
  writeFileSync(path, 'not a database, but long enough to be taken for one\n'.repeat(100))
  const before = readFileSync(path)
  await assert.rejects(
    sqliteSink({ path, origin: ORIGIN })(undefined),
    (e) => SwornError.is(e, 'IO_FAILED') && e.at === path && e.message.includes('file is not a database'),
  )
  assert.deepEqual(readFileSync(path), before)
})

test('reconciliation finds the table equal over a restart, and names rows that were changed or deleted', async () => {
  const [place, path] = [makePlace(), newPath()]
  const ledger = openAt(place)
  const { origin } = ledger.info
  const options = { path, origin }
  const plan = { ...planOf({ open: sqliteSink(options), shape: SHAPE }), holdings: sqliteHoldings(options) }
  for (const from of [0, 20]) {
    append(ledger, from, 20)
    await finish(start(place.path, origin, [plan]))
  }
  const look = async () => {
    const files = findLedger(place.path, '/')
    const places = sinkPlaces(place.path, 'test')
    const { claim, equal, missing, altered, extra } = await reconcile({
      files,
      origin,
      version: '0',
      plan,
      places,
      signal: AbortSignal.timeout(10_000),
    })
    return { claim, equal, missing: missing.seqs, altered: altered.seqs, extra: extra.count }
  }
  const seqs = seqsOf(place.path, 'events')
  assert.deepEqual(await look(), { claim: 'values', equal: 40, missing: [], altered: [], extra: 0 })
  const db = new DatabaseSync(path)
  db.exec("UPDATE audit_log SET action_type = 'read' WHERE id = 7; DELETE FROM audit_log WHERE id IN (30, 31)")
  db.exec("INSERT INTO audit_log (action_type) VALUES ('theirs')")
  db.close()
  assert.deepEqual(await look(), { claim: 'values', equal: 37, missing: [seqs[29], seqs[30]], altered: [seqs[6]], extra: 0 })
  rmSync(path)
  await assert.rejects(look(), (e) => SwornError.is(e, 'SINK_UNREADABLE') && e.at === path)
})
