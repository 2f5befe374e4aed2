/** What delivery promises whatever the sink: positions, receipts, dead letters, pruning, one process, no sink waits for another. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { acquireDelivery } from '@sworn/recorder/reading'
import { createFrontier, leafHash, parseHex, toBase64 } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { append, finish, linesOf, makePlace, openAt, type Place, planOf, seqsOf, start, until } from '../../../testkit/src/sink-contract.ts'
import { delayOf, type Item, type Outcome, readSinkStatus, type Sink, sinkPlaces, systemClock, writeRequest } from '../src/index.ts'

/** A sink in memory; `answer` decides what becomes of a batch. */
function memorySink(answer: (items: readonly Item[]) => Promise<Outcome> | Outcome = () => ({})) {
  const items: Item[] = []
  const sink: Sink = {
    limits: { items: 5, bytes: 1 << 20 },
    async send(batch) {
      const outcome = await answer(batch)
      const left = new Set([...(outcome.again?.indexes ?? []), ...(outcome.refused ?? []).map(({ index }) => index)])
      if (outcome.whole === undefined) items.push(...batch.filter((_, index) => !left.has(index)))
      return outcome
    },
    probe: async () => ({ shown: 'in memory' }),
    close: async () => {},
  }
  return { open: async () => sink, items, seqs: () => items.map(({ seq }) => seq) }
}

const jsonLines = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const placesOf = ({ path }: Place) => sinkPlaces(path, 'test')

test('receipts cover every entry once, each with the root of the tree over its range', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 23)
  const sink = memorySink()
  await finish(start(place.path, ledger.info.origin, [planOf(sink, { shape: { records: 'events', where: 'tool.endsWith("3")' } })]))
  const hashes = linesOf(place.path).map((line) => JSON.parse(line).entry_hash)
  let next = 0
  let sent = 0
  for (const receipt of jsonLines(placesOf(place).receipts)) {
    assert.equal(receipt.from, next)
    const frontier = createFrontier(nodePrimitives)
    for (const hash of hashes.slice(receipt.from, receipt.to)) frontier.push(leafHash(nodePrimitives, parseHex(hash)))
    assert.equal(receipt.root, toBase64(frontier.root()))
    next = receipt.to
    sent += receipt.sent
  }
  assert.equal(next, hashes.length)
  assert.equal(sent, 2)
  assert.deepEqual(
    sink.items.map(({ event }) => event.tool),
    ['tool_3', 'tool_13'],
  )
})

test('a sink sees less than the ledger, in its own dialect, and never what it may not see', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 2)
  const [whole, less, cef] = [memorySink(), memorySink(), memorySink()]
  const redact = { keys: ['text'], paths: [{ path: 'tool', action: 'drop' as const }] }
  const plans = [
    planOf(whole, { name: 'whole', shape: { records: 'all' } }),
    planOf(less, { name: 'less', shape: { records: 'events', redact } }),
    planOf(cef, { name: 'cef', shape: { records: 'all', dialect: 'cef' } }),
  ]
  await finish(start(place.path, ledger.info.origin, plans))
  assert.deepEqual(
    whole.items.map(({ body }) => body),
    linesOf(place.path),
  )
  for (const { body, seq } of less.items) {
    assert.ok(!body.includes('tool_0') && !body.includes('tool_1') && !body.includes('previous_hash'), body)
    assert.equal(JSON.parse(body).seq, seq)
  }
  assert.equal(less.items.length, 2)
  assert.deepEqual(
    cef.items.map(({ body }) => body.slice(0, 12)),
    ['CEF:0|sworn|', 'CEF:0|sworn|'],
  )
})

test('a sink that hangs holds up no other, and goes on when it answers', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 20)
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const [quick, slow] = [memorySink(), memorySink(() => gate.then(() => ({})))]
  const delivery = start(place.path, ledger.info.origin, [planOf(slow, { name: 'slow' }), planOf(quick, { name: 'quick' })])
  const expected = seqsOf(place.path, 'events')
  await until(() => quick.items.length === expected.length)
  assert.equal(slow.items.length, 0)
  release()
  await finish(delivery)
  assert.deepEqual(slow.seqs(), expected)
})

test('a try that takes too long is given up and made again', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 3)
  let tries = 0
  const sink = memorySink(() => (++tries === 1 ? new Promise<Outcome>(() => {}) : {}))
  await finish(start(place.path, ledger.info.origin, [planOf(sink, { timeoutMs: 20 })]))
  assert.deepEqual(sink.seqs(), seqsOf(place.path, 'events'))
})

test('of two processes that want to deliver one does; the other takes over when it ends', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 5)
  const [first, second] = [memorySink(), memorySink()]
  const one = start(place.path, ledger.info.origin, [planOf(first)])
  assert.equal(await one.idle(30_000), true)
  const two = start(place.path, ledger.info.origin, [planOf(second)])
  await two.settled(30_000)
  append(ledger, 5, 5)
  await finish(one)
  append(ledger, 10, 5)
  await finish(two)
  assert.deepEqual([...first.seqs(), ...second.seqs()], seqsOf(place.path, 'events'))
  assert.ok(second.items.length >= 5)
})

test('a cursor below what was pruned says so, and delivery goes on behind it', async () => {
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 1 << 20 })
  append(ledger, 0, 5)
  await finish(start(place.path, ledger.info.origin, [planOf(memorySink())]))
  append(ledger, 5, 1500, 1000)
  ledger.prune(ledger.size, { policy: 'test', unanchored: true })
  append(ledger, 2000, 5)
  const sink = memorySink()
  const delivery = start(place.path, ledger.info.origin, [planOf(sink)])
  await finish(delivery)
  const [status] = await readSinkStatus(place.path, Date.now())
  const first = sink.seqs()[0]!
  const lost = jsonLines(placesOf(place).receipts).find((receipt) => receipt.lost !== undefined)
  assert.ok(status!.lost > 0 && lost.to - lost.from === status!.lost)
  assert.ok(first >= lost.to)
  assert.deepEqual(
    sink.seqs(),
    seqsOf(place.path, 'events').filter((seq) => seq >= first),
  )
})

test('a ledger that was put back or replaced is not delivered from, until somebody says from where', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 10)
  await finish(start(place.path, ledger.info.origin, [planOf(memorySink())]))
  const places = placesOf(place)
  const cursor = JSON.parse(readFileSync(places.cursor, 'utf8'))
  rmSync(places.cursor)
  const sink = memorySink()
  const { writeCursor } = await import('../src/cursor.ts')
  await writeCursor(places.cursor, { origin: cursor.origin, next: cursor.next, entryHash: 'a'.repeat(64), lost: 0 })
  const delivery = start(place.path, ledger.info.origin, [planOf(sink)])
  await until(() => existsSync(places.trouble))
  assert.match(readFileSync(places.trouble, 'utf8'), /SINK_DIVERGED the last delivered entry has another hash now/)
  assert.equal(sink.items.length, 0)
  writeRequest(places.request, { from: 0 })
  await finish(delivery)
  assert.deepEqual(sink.seqs(), seqsOf(place.path, 'events'))
})

test('a sink that is added later begins at the first entry, at the end, or at a time', async () => {
  const place = makePlace()
  let now = Date.parse('2026-11-21T10:00:00Z')
  const ledger = openAt(place, { now: () => now })
  append(ledger, 0, 5)
  const atEnd = memorySink()
  const delivery = start(place.path, ledger.info.origin, [planOf(atEnd, { start: 'now' })])
  assert.equal(await delivery.idle(30_000), true)
  now += 3_600_000
  const before = ledger.size
  ledger.reopen()
  append(ledger, 5, 3)
  await finish(delivery)
  const events = seqsOf(place.path, 'events')
  assert.deepEqual(
    atEnd.seqs(),
    events.filter((seq) => seq >= before),
  )
  const since = memorySink()
  await finish(start(place.path, ledger.info.origin, [planOf(since, { name: 'since', start: { since: '2026-11-21T09:00:00Z' } })]))
  assert.deepEqual(since.seqs(), events)
  const never = memorySink()
  await finish(start(place.path, ledger.info.origin, [planOf(never, { name: 'never', start: { since: '2027-01-01T00:00:00Z' } })]))
  assert.deepEqual(never.seqs(), [])
})

test('a sink that begins now gets what is recorded from the moment at which delivery is opened, however late it is reached', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const other = await acquireDelivery(place.path)
  const sink = memorySink()
  const clock = { ...systemClock, now: () => Date.parse('2026-11-21T09:00:00Z') }
  const delivery = start(place.path, ledger.info.origin, [planOf(sink, { start: 'now' })], clock)
  append(ledger, 0, 3)
  await other?.release()
  await finish(delivery)
  assert.deepEqual(sink.seqs(), seqsOf(place.path, 'events'))
})

test('what is refused for good is parked privately and sent again when somebody asks', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 12)
  let strict = true
  const sink = memorySink((items) => ({
    refused: items.flatMap(({ event }, index) => (strict && String(event.tool).endsWith('2') ? [{ index, reason: 'no twos' }] : [])),
  }))
  const delivery = start(place.path, ledger.info.origin, [planOf(sink)])
  assert.equal(await delivery.idle(30_000), true)
  const { dead, request } = placesOf(place)
  assert.equal(jsonLines(dead).length, 1)
  assert.equal(statSync(dead).mode & 0o777, 0o600)
  assert.equal((await readSinkStatus(place.path, Date.now()))[0]!.parked, 1)
  strict = false
  writeRequest(request, {})
  await until(() => !existsSync(request))
  await finish(delivery)
  assert.deepEqual(
    sink.seqs().toSorted((a, b) => a - b),
    seqsOf(place.path, 'events'),
  )
  assert.equal((await readSinkStatus(place.path, Date.now()))[0]!.parked, 0)
})

test('a batch that is refused whole is halved until only what is refused stands alone', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 40)
  const sink = memorySink((items) => (items.some(({ event }) => event.tool === 'tool_17') ? { whole: 'HTTP 400' } : {}))
  await finish(start(place.path, ledger.info.origin, [planOf(sink)]))
  assert.deepEqual(
    jsonLines(placesOf(place).dead).map(({ line, reason }) => [JSON.parse(line).tool, reason]),
    [['tool_17', 'HTTP 400']],
  )
  assert.equal(sink.items.length, 39)
})

test('full dead letters stop delivery instead of dropping', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 10)
  const sink = memorySink((items) => ({ refused: items.map((_, index) => ({ index, reason: 'never' })) }))
  const delivery = start(place.path, ledger.info.origin, [planOf(sink, { maxDeadBytes: 3000, batch: { items: 2, lingerMs: 0 } })])
  const places = placesOf(place)
  await until(() => existsSync(places.trouble) && readFileSync(places.trouble, 'utf8').includes('dead letters are full'))
  await delivery.close()
  assert.ok(statSync(places.dead).size <= 3000)
  const parked = jsonLines(places.dead).length
  const [status] = await readSinkStatus(place.path, Date.now())
  assert.ok(parked > 0 && status!.behind > 0)
  assert.match(status!.trouble!.reason, /dead letters are full/)
})

test('a partly accepted batch sends the rest before anything later', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 30)
  let n = 0
  const sink = memorySink((items) =>
    ++n % 2 === 1 && items.length > 1 ? { again: { indexes: items.map((_, i) => i).slice(1), reason: 'busy', afterMs: 1 } } : {},
  )
  await finish(start(place.path, ledger.info.origin, [planOf(sink)]))
  assert.deepEqual(sink.seqs(), seqsOf(place.path, 'events'))
})

test('a file under a stable name is delivered over its rotations', async () => {
  const place = makePlace('audit.jsonl')
  const ledger = openAt(place, { rotateBytes: 1 << 20 })
  append(ledger, 0, 5)
  const sink = memorySink()
  const delivery = start(place.path, ledger.info.origin, [planOf(sink)])
  append(ledger, 5, 1200, 1000)
  ledger.close()
  await finish(delivery)
  assert.equal(sink.items.length, 1205)
  assert.deepEqual(
    sink.items.map(({ event }) => event.tool),
    Array.from({ length: 1205 }, (_, i) => `tool_${i}`),
  )
})

test('waits are jittered below a bound that doubles, and as long as the sink asks, up to an hour', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(10_000_000), (attempt, random, asked) => {
      const delay = delayOf(attempt, { firstMs: 100, maxMs: 60_000 }, random, asked)
      assert.ok(delay >= Math.min(asked, 3_600_000))
      assert.ok(delay <= Math.max(Math.min(asked, 3_600_000), Math.min(60_000, 100 * 2 ** attempt)))
    }),
  )
})
