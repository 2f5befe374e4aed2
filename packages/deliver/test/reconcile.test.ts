/**
 * Reconciliation: what a sink holds is compared with the ledger, and every way in which it can differ is named.
 *
 * Against real files, a real PostgreSQL on 127.0.0.1:5432 where one runs (said loudly where none does) and a loopback
 * server with Elasticsearch's answers.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findLedger, listSegments } from '@sworn/recorder/segments'
import fc from 'fast-check'
import {
  append,
  eventItem,
  finish,
  linesOf,
  makePlace,
  openAt,
  type Place,
  planOf,
  seqsOf,
  start,
} from '../../../testkit/src/sink-contract.ts'
import { count } from '../../../testkit/src/suite.ts'
import { type OpenHoldings, type OpenSink, type Range, type Reconciliation, reconcile, type SinkPlan, sinkPlaces } from '../src/index.ts'
import { elasticsearchSink } from '../src/sinks/elasticsearch.ts'
import { elasticsearchHoldings } from '../src/sinks/elasticsearch-holdings.ts'
import { jsonlSink } from '../src/sinks/jsonl.ts'
import { jsonlHoldings } from '../src/sinks/jsonl-holdings.ts'
import { postgresSink } from '../src/sinks/postgres.ts'
import { postgresHoldings } from '../src/sinks/postgres-holdings.ts'
import { openHttpPeer } from './support/http-peer.ts'
import { DSN, skippedWithout, withClient } from './support/postgres.ts'

const skip = await skippedWithout('reconciliation with PostgreSQL was')

interface Delivered {
  readonly place: Place
  readonly origin: string
  readonly plan: SinkPlan
  look(): Promise<Reconciliation>
}

type Sides = { readonly open: OpenSink; readonly holdings: OpenHoldings; readonly shape?: Partial<SinkPlan['shape']> }

/** A closed ledger of `n` events, delivered. */
async function delivered(
  n: number,
  sides: (origin: string, place: Place) => Sides,
  plan: Partial<SinkPlan> = {},
  rotateBytes = 1 << 18,
): Promise<Delivered> {
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes })
  append(ledger, 0, n)
  ledger.close()
  const { origin } = ledger.info
  const { holdings, ...peer } = sides(origin, place)
  const whole = planOf({ shape: { records: 'all' }, ...peer }, { batch: { lingerMs: 0 }, ...plan, holdings })
  await finish(start(place.path, origin, [whole]))
  const look = () =>
    reconcile({
      files: findLedger(place.path, '/'),
      ...{ origin, version: '0', plan: whole },
      places: sinkPlaces(place.path, 'test'),
      signal: new AbortController().signal,
    })
  return { place, origin, plan: whole, look }
}

const jsonlOf = (file: (place: Place) => string, rotateBytes?: number) => (_: string, place: Place) => {
  const path = file(place)
  return { open: jsonlSink({ path, rotateBytes, now: Date.now }), holdings: jsonlHoldings(path) }
}
const copyOf = ({ path }: Place) => join(path, '..', 'copy.jsonl')

const differences = ({ missing, extra, altered, unplaced }: Reconciliation) => ({
  missing: missing.seqs,
  extra: extra.seqs,
  altered: altered.seqs,
  unplaced,
})
const none = { missing: [], extra: [], altered: [], unplaced: 0 }

test('a file that holds the lines is equal, and the tree over them is that of the checkpoint; so is one that was rotated', async () => {
  for (const rotateBytes of [undefined, 8_000]) {
    const { place, look } = await delivered(100, jsonlOf(copyOf, rotateBytes), { batch: { items: 50, lingerMs: 0 } })
    const found = await look()
    assert.deepEqual(differences(found), none)
    assert.equal(found.claim, 'lines')
    assert.equal(found.equal, linesOf(place.path).length)
    assert.equal(found.tree?.holds, true)
  }
})

/** What somebody may do to the lines of a copy; gives what has to be named. */
const alterations: Record<string, (lines: string[], at: number) => Partial<typeof none & { unplaced: number }>> = {
  removed: (lines, at) => {
    lines.splice(at, 1)
    return { missing: [at] as never[] }
  },
  'written twice': (lines, at) => {
    lines.push(lines[at]!)
    return { extra: [at] as never[] }
  },
  'a byte of its content changed': (lines, at) => {
    lines[at] = lines[at]!.replace('"timestamp":"2', '"timestamp":"3')
    return { altered: [at] as never[] }
  },
  'made no entry at all': (lines, at) => {
    lines[at] = 'garbage'
    return { missing: [at] as never[], unplaced: 1 }
  },
  'followed by one that was never sent': (lines) => {
    const seq = lines.length + 5
    lines.push(lines.at(-1)!.replace(/"seq":\d+/, `"seq":${seq}`))
    return { extra: [seq] as never[] }
  },
}

test('any alteration of any line of a file is named: removed, twice, changed, no entry, never sent', async () => {
  const { place, look } = await delivered(40, jsonlOf(copyOf))
  const path = copyOf(place)
  const lines = linesOf(place.path)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(alterations)), fc.nat(lines.length - 1), async (name, at) => {
      const copy = [...lines]
      const expected = { ...none, ...alterations[name]!(copy, at) }
      writeFileSync(path, copy.map((line) => `${line}\n`).join(''))
      assert.deepEqual(differences(await look()), expected)
    }),
    { numRuns: count({ fast: 15, ci: 200 }) },
  )
})

test('lines in another order, as a replay leaves them, are each where they belong', async () => {
  const { place, look } = await delivered(40, jsonlOf(copyOf))
  writeFileSync(
    copyOf(place),
    linesOf(place.path)
      .toReversed()
      .map((line) => `${line}\n`)
      .join(''),
  )
  assert.deepEqual(differences(await look()), none)
})

test('a filter, redaction and a dialect are mapped again: what would be sent is what is there', async () => {
  const shapes: Partial<SinkPlan['shape']>[] = [
    { records: 'events', where: 'tool == "tool_3" || tool == "tool_4"' },
    { records: 'events', redact: { keys: ['text'], paths: [] } },
    ...['ecs', 'cloudevents', 'aip', 'pi', 'agef'].map((dialect) => ({ records: 'events' as const, dialect })),
  ]
  for (const shape of shapes) {
    const { place, look } = await delivered(8, (origin, at) => ({ ...jsonlOf(copyOf)(origin, at), shape }))
    const before = await look()
    assert.deepEqual(differences(before), none, JSON.stringify(shape))
    const lines = readFileSync(copyOf(place), 'utf8').split('\n').slice(0, -1)
    assert.equal(before.equal, lines.length)
    writeFileSync(
      copyOf(place),
      [...lines.slice(0, 1).map((line) => line.replace('tool_', 'fool_')), ...lines.slice(2)].map((line) => `${line}\n`).join(''),
    )
    const { altered, missing } = await look()
    assert.deepEqual([altered.count, missing.count], [1, 1], JSON.stringify(shape))
  }
})

test('a sink that began later is not asked for what came before, and what waits is no difference', async () => {
  const { place, look } = await delivered(30, jsonlOf(copyOf), { start: 'now' })
  assert.deepEqual(differences(await look()), none)
  const again = openAt(place)
  append(again, 30, 5)
  again.close()
  const found = await look()
  assert.deepEqual(differences(found), none)
  assert.ok(found.waiting >= 5)
})

test('what was pruned here is still compared, by its leaves; mapped to another form it cannot be told any more', async () => {
  for (const [shape, told] of [
    [{ records: 'all' }, true],
    [{ records: 'events', dialect: 'ecs' }, false],
  ] as const) {
    const { place, look } = await delivered(60, (origin, at) => ({ ...jsonlOf(copyOf)(origin, at), shape }), {}, 8_000)
    const again = openAt(place)
    again.prune(40, { policy: 'p', unanchored: true })
    again.close()
    const { firstSeq = 0 } = listSegments(findLedger(place.path, '/'))[0] ?? {}
    assert.ok(firstSeq > 0)
    const clean = await look()
    assert.deepEqual(differences(clean), none)
    assert.deepEqual([clean.unknown, clean.tree?.holds], told ? [0, true] : [firstSeq, undefined])
    const lines = readFileSync(copyOf(place), 'utf8').split('\n')
    writeFileSync(copyOf(place), [...lines.slice(0, 5), lines[5]!.replace('tool_', 'fool_'), ...lines.slice(7)].join('\n'))
    const { altered, missing } = await look()
    assert.deepEqual([altered.count, missing.count], told ? [1, 1] : [0, 0])
  }
})

test('a ledger whose own line was changed is said not to have the tree of its checkpoint', async () => {
  const { place, look } = await delivered(10, jsonlOf(copyOf))
  const file = join(place.path, 'segments', `${'0'.repeat(20)}.jsonl`)
  writeFileSync(file, readFileSync(file, 'utf8').replace('tool_3', 'tool_x'))
  const { tree, altered } = await look()
  assert.deepEqual([tree?.holds, altered.count], [false, 1])
})

/** One statement a kind; `$1` is the seq. */
const ROW_ALTERATIONS: Record<string, (table: string) => string> = {
  'missing: deleted': (table) => `DELETE FROM ${table} WHERE seq = $1`,
  'altered: a letter of the line': (table) => `UPDATE ${table} SET line = overlay(line placing 'X' from 30) WHERE seq = $1`,
  'altered: the line of another entry': (table) =>
    `UPDATE ${table} SET line = (SELECT line FROM ${table} WHERE seq = $1 - 1) WHERE seq = $1`,
  'altered: the hash beside it': (table) => `UPDATE ${table} SET entry_hash = repeat('0', 64) WHERE seq = $1`,
  'altered: a column for queries': (table) => `UPDATE ${table} SET tool = 'innocent' WHERE seq = $1`,
  'altered: a column emptied': (table) => `UPDATE ${table} SET event_type = NULL WHERE seq = $1`,
  'altered: its time': (table) => `UPDATE ${table} SET recorded_at = recorded_at + interval '1 millisecond' WHERE seq = $1`,
  'altered: a space behind the line': (table) => `UPDATE ${table} SET line = line || ' ' WHERE seq = $1`,
  'extra: a second row': (table) =>
    `INSERT INTO ${table} SELECT origin, seq, recorded_at + interval '1 second', entry_hash, event_type, severity, decision, tool, target, user_name, agent_id, session_id, event_id, line FROM ${table} WHERE seq = $1`,
}

test('each of 100 random alterations of a PostgreSQL copy is found, and found at its entry', { skip }, async (t) => {
  const table = `sworn_test_${randomBytes(6).toString('hex')}`
  t.after(() =>
    withClient((client) => client.query(`DROP TABLE IF EXISTS ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint CASCADE`)),
  )
  const { place, look } = await delivered(60, (origin) => ({
    open: postgresSink({ connection: DSN, table, origin }),
    holdings: postgresHoldings({ connection: DSN, table, origin, isEvent: true }),
  }))
  const clean = await look()
  assert.deepEqual(differences(clean), none)
  assert.equal(clean.tree?.holds, true)
  const last = seqsOf(place.path, 'all').length - 1
  const found: string[] = []
  await withClient(async (client) => {
    await client.query(`CREATE TABLE ${table}_before AS SELECT * FROM ${table}`)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(ROW_ALTERATIONS)), fc.integer({ min: 1, max: last }), async (name, seq) => {
        await client.query(ROW_ALTERATIONS[name]!(table), [seq])
        const kind = name.split(':')[0] as 'missing' | 'altered' | 'extra'
        const result = differences(await look())
        await client.query(`DELETE FROM ${table} WHERE seq = $1`, [seq])
        await client.query(`INSERT INTO ${table} SELECT * FROM ${table}_before WHERE seq = $1`, [seq])
        // A second row of an entry is read before or behind the first: one of them is what was sent.
        const expected = name.startsWith('extra') ? { ...none, extra: [seq], altered: [] } : { ...none, [kind]: [seq] }
        assert.deepEqual(result, expected, `${name} at ${seq}`)
        found.push(name)
      }),
      { numRuns: 100 },
    )
    await client.query(`DROP TABLE ${table}_before`)
  })
  assert.equal(found.length, 100)
})

test('rows of a PostgreSQL copy are read only where the root of their range differs', { skip }, async (t) => {
  const table = `sworn_test_${randomBytes(6).toString('hex')}`
  t.after(() =>
    withClient((client) => client.query(`DROP TABLE IF EXISTS ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint CASCADE`)),
  )
  const read: Range[] = []
  const { look } = await delivered(700, (origin) => ({
    open: postgresSink({ connection: DSN, table, origin }),
    holdings: async () => {
      const holdings = await postgresHoldings({ connection: DSN, table, origin, isEvent: true })()
      return {
        ...holdings,
        read(range, signal) {
          read.push(range)
          return holdings.read(range, signal)
        },
      }
    },
  }))
  assert.deepEqual(differences(await look()), none)
  assert.equal(
    read.splice(0).every(({ to }) => to === Number.POSITIVE_INFINITY),
    true,
  ) // whether there is more
  // What SQL cannot read is read here: a member that no text column can hold, a line that is no JSON.
  await withClient((client) => client.query(`UPDATE ${table} SET line = overlay(line placing '\\u0000' from 30) WHERE seq = 300`))
  assert.deepEqual(differences(await look()), { ...none, altered: [300] })
  assert.deepEqual(read.splice(0).slice(0, -1), [{ from: 256, to: 512 }])
  await withClient((client) => client.query(`UPDATE ${table} SET line = 'no JSON' WHERE seq = 600`))
  assert.deepEqual(differences(await look()), { ...none, altered: [300, 600] })
  assert.deepEqual(
    read
      .splice(0)
      .slice(0, -1)
      .map(({ from }) => from),
    [256, 512],
  )
})

test('entries with text that PostgreSQL has no word for are equal all the same', { skip }, async (t) => {
  const table = `sworn_test_${randomBytes(6).toString('hex')}`
  t.after(() =>
    withClient((client) => client.query(`DROP TABLE IF EXISTS ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint CASCADE`)),
  )
  const place = makePlace()
  const ledger = openAt(place)
  for (const [n, target] of ['a\0b', '\u2028 é 𝄞', 'tab\t"quote"\\', ' ', ''].entries()) {
    const item = eventItem(n)
    ledger.append([{ ...item, json: JSON.stringify({ ...JSON.parse(item.json), target, user: { name: 'an object' }, decision: 7 }) }])
  }
  ledger.close()
  const { origin } = ledger.info
  const plan = planOf(
    { open: postgresSink({ connection: DSN, table, origin }), shape: { records: 'all' } },
    { holdings: postgresHoldings({ connection: DSN, table, origin, isEvent: true }) },
  )
  await finish(start(place.path, origin, [plan]))
  const places = sinkPlaces(place.path, 'test')
  const found = await reconcile({
    files: findLedger(place.path, '/'),
    origin,
    version: '0',
    plan,
    places,
    signal: new AbortController().signal,
  })
  assert.deepEqual(differences(found), none)
  assert.equal(found.equal, linesOf(place.path).length)
})

test('a PostgreSQL that is not there cannot be asked, and the connection is in no message', async () => {
  const { look } = await delivered(1, (_, place) => ({
    open: jsonlOf(copyOf)('', place).open,
    holdings: postgresHoldings({ connection: 'postgres://u:s3cr3t@127.0.0.1:1/x', table: 'x', origin: 'o', isEvent: true }),
  }))
  await assert.rejects(look(), (e: Error) => /SINK_UNREADABLE|ECONNREFUSED/.test(`${e}`) && !`${e} ${e.stack}`.includes('s3cr3t'))
})

test('Elasticsearch: documents are asked for by their ids, and a changed or missing one is named', async (t) => {
  const documents = new Map<string, object>()
  const peer = await openHttpPeer({
    accept: ({ path, body }) => {
      if (path.includes('_refresh')) return {}
      if (path.includes('_search')) {
        const { values } = JSON.parse(body).query.ids
        const hits = values.flatMap((id: string) => (documents.has(id) ? [{ _id: id, _source: documents.get(id) }] : []))
        return { body: JSON.stringify({ timed_out: false, hits: { hits } }) }
      }
      const lines = body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      const items = lines.flatMap((line, i) => (i % 2 === 0 ? [[line.create._id as string, lines[i + 1]] as const] : []))
      for (const [id, source] of items) documents.set(id, source)
      return { body: JSON.stringify({ errors: false, items: items.map(() => ({ create: { status: 201 } })) }) }
    },
  })
  t.after(peer.close)
  const index = 'audit-%{+yyyy.MM.dd}'
  const { look } = await delivered(260, (origin) => ({
    open: elasticsearchSink({ url: peer.url, index, now: Date.now }),
    holdings: elasticsearchHoldings({ url: peer.url, index, origin, token: 'k' }),
    shape: { records: 'events', dialect: 'ecs' },
  }))
  const clean = await look()
  assert.deepEqual([differences(clean), clean.claim, clean.findsExtra], [none, 'values', false])
  assert.ok(peer.seen.some(({ path }) => path.startsWith('/audit-*/_search')))
  const [first, second] = [...documents.keys()]
  const seqOf = (key: string) => Number(key.slice(key.lastIndexOf('/') + 1))
  documents.delete(first!)
  documents.set(second!, { ...documents.get(second!), message: 'nothing happened' })
  assert.deepEqual(differences(await look()), { ...none, missing: [seqOf(first!)], altered: [seqOf(second!)] })
  peer.fail('error', 1_000)
  await assert.rejects(look(), /503/)
})

test('while entries are recorded, delivered and rotated no difference is seen that is none', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const { origin } = ledger.info
  append(ledger, 0, 50)
  const path = copyOf(place)
  const plan = planOf(
    { open: jsonlSink({ path, rotateBytes: 8_000, now: Date.now }), shape: { records: 'all' } },
    { holdings: jsonlHoldings(path) },
  )
  const delivery = start(place.path, origin, [plan])
  assert.equal(await delivery.idle(10_000), true)
  const options = { files: findLedger(place.path, '/'), origin, version: '0', plan, places: sinkPlaces(place.path, 'test') }
  for (let round = 0; round < 10; round++) {
    append(ledger, 50 + round * 30, 30)
    const found = await reconcile({ ...options, signal: new AbortController().signal })
    assert.deepEqual(differences(found), none)
  }
  ledger.close()
  await finish(delivery)
  assert.equal((await reconcile({ ...options, signal: new AbortController().signal })).equal, linesOf(place.path).length)
})

test('a sink that was never delivered to is not said to be equal', async () => {
  const { place, look } = await delivered(3, jsonlOf(copyOf))
  rmSync(join(place.path, 'sinks'), { recursive: true })
  await assert.rejects(look(), { code: 'SINK_UNREADABLE' })
})
