/** The numbers of a ledger: what is counted, under which names, over restarts, kills and other ledgers. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findLedger } from '@sworn/recorder/segments'
import { GENESIS } from '@sworn/verify'
import fc from 'fast-check'
import { endWithTests } from '../../../testkit/src/children.ts'
import { seededRandom } from '../../../testkit/src/index.ts'
import { append, eventItem, finish, linesOf, makePlace, openAt, type Place, planOf, start } from '../../../testkit/src/sink-contract.ts'
import { count } from '../../../testkit/src/suite.ts'
import { type Clock, systemClock } from '../src/index.ts'
import { countsPath, readCounts, writeCounts } from '../src/metrics/counts-file.ts'
import { createMetricsRoute, gauge, type MetricsOptions, openMetrics, writeVerified } from '../src/metrics/index.ts'
import { createTally } from '../src/metrics/tally.ts'

type Ledger = ReturnType<typeof openAt>
type Event = Record<string, unknown>

const decision = (name: string, rest: object = {}): Event => ({ event_type: 'authorization_decision', decision: name, ...rest })
const answered = (approved: boolean, ms: unknown): Event =>
  decision(approved ? 'allow' : 'deny', { human_decision: { approved, response_time_ms: ms } })
const match = (pattern: unknown, amount: unknown): Event => ({ event_type: 'dlp_match', pattern, match_count: amount })
const gap = (dropped: unknown): Event => ({ event_type: 'observation_gap', metadata: { dropped } })

let eventNumber = 0
function record(ledger: Ledger, events: readonly Event[]): void {
  for (const event of events) {
    const { eventId, json: _, ...item } = eventItem(eventNumber++)
    const json = JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', ...event, event_id: eventId })
    ledger.append([{ ...item, eventId, json, eventType: String(event.event_type), sessionId: undefined }])
  }
}

/** Series by name and labels. */
function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

const open = (place: Place, ledger: Ledger, options: Partial<MetricsOptions> = {}) =>
  openMetrics({ path: place.path, origin: ledger.info.origin, ...options })

async function numbersOf(place: Place, ledger: Ledger, options: Partial<MetricsOptions> = {}): Promise<Map<string, number>> {
  const metrics = open(place, ledger, options)
  try {
    return parse(await metrics.text(60_000))
  } finally {
    await metrics.close()
  }
}

/** The same numbers, from the lines alone. */
function bruteForce(place: Place): Map<string, number> {
  const events: Event[] = linesOf(place.path).map((line) => JSON.parse(line))
  const found = new Map<string, number>()
  const raise = (series: string, by = 1) => found.set(series, (found.get(series) ?? 0) + by)
  for (const event of events) {
    raise(`sworn_events_total{event_type="${event.event_type}"}`)
    if (event.event_type === 'dlp_match') raise(`aip_dlp_matches_total{pattern="${event.pattern}"}`, event.match_count as number)
    if (event.event_type === 'approval_requested') raise('aip_authorization_decisions_total{decision="ask"}')
    if (event.event_type === 'observation_gap') raise('sworn_dropped_events_total', (event.metadata as { dropped: number }).dropped)
    if (event.event_type !== 'authorization_decision') continue
    raise(`aip_authorization_decisions_total{decision="${event.decision}"}`)
    if (event.violation) raise('aip_violations_total')
    const human = event.human_decision as { approved: boolean; response_time_ms: number } | undefined
    if (!human) continue
    raise(`aip_human_approvals_total{approved="${human.approved}"}`)
    raise('aip_human_approval_response_time_seconds_count')
    if (human.response_time_ms <= 1000) raise('aip_human_approval_response_time_seconds_bucket{le="1"}')
  }
  found.set('sworn_counted_entries', events.length)
  found.set('sworn_ledger_entries', events.length)
  return found
}

const COUNTED = /^(aip_|sworn_(events|dropped|uncounted|counted|ledger))/

function assertEqualsLedger(place: Place, values: ReadonlyMap<string, number>): void {
  const expected = bruteForce(place)
  for (const [series, value] of expected) assert.equal(values.get(series), value, series)
  for (const [series, value] of values) {
    const isOther = !COUNTED.test(series) || expected.has(series) || /_(bucket|sum)/.test(series)
    assert.ok(isOther || value === 0, `${series} ${value} is in no entry`)
  }
}

test('decisions, questions, answers, findings and violations are counted by the names of the guide', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  record(ledger, [
    ...[decision('allow'), decision('deny', { violation: true }), decision('allow', { violation: true, enforced: false })],
    ...[{ event_type: 'approval_requested', decision: 'ask' }, answered(true, 1500), answered(false, 40_000)],
    ...[match('AWS Access Key', 3), match('AWS Access Key', 2), gap(7), { event_type: 'tool_call_start', decision: 'allow' }],
  ])
  const values = await numbersOf(place, ledger)
  for (const [series, value] of [
    ['aip_authorization_decisions_total{decision="allow"}', 3],
    ['aip_authorization_decisions_total{decision="deny"}', 2],
    ['aip_authorization_decisions_total{decision="ask"}', 1],
    ['aip_violations_total', 2],
    ['aip_dlp_matches_total{pattern="AWS Access Key"}', 5],
    ['aip_human_approvals_total{approved="true"}', 1],
    ['aip_human_approvals_total{approved="false"}', 1],
    ['aip_human_approval_response_time_seconds_bucket{le="1"}', 0],
    ['aip_human_approval_response_time_seconds_bucket{le="2"}', 1],
    ['aip_human_approval_response_time_seconds_bucket{le="60"}', 2],
    ['aip_human_approval_response_time_seconds_bucket{le="+Inf"}', 2],
    ['aip_human_approval_response_time_seconds_sum', 41.5],
    ['aip_human_approval_response_time_seconds_count', 2],
    ['sworn_events_total{event_type="log.open"}', 1],
    ['sworn_dropped_events_total', 7],
    ['sworn_readable{part="entries"}', 1],
  ] as const)
    assert.equal(values.get(series), value, series)
  assertEqualsLedger(place, values)
})

test('counters that have not risen are zero, so that a rate has something to rise from', async () => {
  const place = makePlace()
  const values = await numbersOf(place, openAt(place))
  for (const series of [
    'aip_authorization_decisions_total{decision="deny"}',
    'aip_human_approvals_total{approved="true"}',
    'aip_violations_total',
  ])
    assert.equal(values.get(series), 0, series)
})

test('whatever an event holds, labels stay words, their number is bounded, and counters never fall', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  record(ledger, [
    ...Array.from({ length: 300 }, (_, n) => match(`p${n}`, 1)),
    ...Array.from({ length: 150 }, (_, n) => ({ event_type: `x${n}` })),
    ...['a"b', 'a\nb', 'x'.repeat(65), 7, null, {}].map((pattern) => match(pattern, -5)),
    ...['yes', null, [], { approved: 'true' }, { approved: true, response_time_ms: 'soon' }].map((human_decision) =>
      decision('maybe', { human_decision, violation: 'true' }),
    ),
    ...['many', -1, 1e300].map(gap),
    match('__proto__', 1),
  ])
  const values = await numbersOf(place, ledger)
  const ofPattern = [...values].filter(([series]) => series.startsWith('aip_dlp_matches_total'))
  assert.deepEqual([ofPattern.length, values.get('aip_dlp_matches_total{pattern="other"}')], [201, 107])
  const ofType = [...values].filter(([series]) => series.startsWith('sworn_events_total'))
  assert.equal(ofType.length, 101)
  assert.equal(
    ofType.reduce((sum, [, value]) => sum + value, 0),
    linesOf(place.path).length,
  )
  assert.deepEqual([values.get('aip_violations_total'), values.get('aip_human_approvals_total{approved="true"}')], [0, 1])
  assert.deepEqual([values.get('aip_human_approval_response_time_seconds_count'), values.get('sworn_dropped_events_total')], [0, 0])
})

const anyEvent = fc.oneof(
  fc.constantFrom('allow', 'deny').map((name) => decision(name)),
  fc.boolean().map((violation) => decision('deny', { violation })),
  fc.tuple(fc.boolean(), fc.nat(100_000)).map(([approved, ms]) => answered(approved, ms)),
  fc.tuple(fc.constantFrom('AWS Access Key', 'e-mail'), fc.nat(9)).map(([pattern, amount]) => match(pattern, amount)),
  fc.nat(9).map(gap),
  fc.constantFrom('approval_requested', 'tool_call_start', 'data_access').map((event_type) => ({ event_type })),
)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('record' as const), events: fc.array(anyEvent, { minLength: 1, maxLength: 8 }) }) },
  fc.record({ do: fc.constantFrom('scrape', 'restart', 'kill', 'second process') }),
)

test('after any interleaving of restarts and kills the counters are what the ledger holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.nat(3000), async (steps, tickMs) => {
      const place = makePlace()
      const ledger = openAt(place)
      const file = join(place.path, 'metrics', 'counts.json')
      let ms = 0
      const clock: Clock = { ...systemClock, elapsed: () => (ms += tickMs) } // saves now and then
      let metrics = open(place, ledger, { clock })
      const older: Buffer[] = []
      for (const one of steps) {
        if (one.do === 'record') record(ledger, one.events)
        if (one.do === 'scrape') assertEqualsLedger(place, parse(await metrics.text(60_000)))
        if (one.do === 'second process') assertEqualsLedger(place, await numbersOf(place, ledger))
        if (existsSync(file)) older.push(readFileSync(file))
        if (one.do === 'restart' || one.do === 'kill') await metrics.close()
        if (one.do === 'kill' && older.length > 0) writeFileSync(file, older[tickMs % older.length]!) // what a kill leaves is an earlier one
        if (one.do === 'restart' || one.do === 'kill') metrics = open(place, ledger, { clock })
      }
      assertEqualsLedger(place, parse(await metrics.text(60_000)))
      await metrics.close()
      ledger.close()
      rmSync(join(place.path, '..'), { recursive: true, force: true })
    }),
    { numRuns: count({ fast: 25, ci: 100, full: 1000 }) },
  )
})

test('a process that counts is killed again and again: nothing is counted twice or left out', async () => {
  const [kills, seed] = [count({ fast: 3, ci: 10, full: 50 }), 20_261_122]
  const random = seededRandom(seed)
  const place = makePlace()
  const ledger = openAt(place)
  const child = fileURLToPath(new URL('support/metrics-child.ts', import.meta.url))
  const args = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source', child, place.path, ledger.info.origin]
  const counted: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    const counting = endWithTests(spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }))
    const lines = createInterface(counting.stdout)
    lines.on('line', (line) => counted.push(Number(line)))
    await once(lines, 'line')
    for (let n = Math.floor(random() * 400); n >= 0; n--) record(ledger, [decision(random() < 0.5 ? 'allow' : 'deny')])
    await once(lines, 'line') // it counts while it is killed
    counting.kill('SIGKILL')
    await once(counting, 'exit')
    assertEqualsLedger(place, await numbersOf(place, ledger))
  }
  assert.deepEqual(
    counted,
    counted.toSorted((a, b) => a - b),
    `a counter fell (seed ${seed})`,
  )
})

test('a damaged file, another ledger and one that was put back are counted anew', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  record(ledger, [decision('allow'), decision('deny')])
  await numbersOf(place, ledger)
  const file = join(place.path, 'metrics', 'counts.json')
  const good = JSON.parse(readFileSync(file, 'utf8'))
  const wrong = [
    ...['', '{', '[]', JSON.stringify({ ...good, next: -1 }), JSON.stringify({ ...good, decisions: [['allow', 'many']] })],
    JSON.stringify({ ...good, origin: 'elsewhere', decisions: [['allow', 99]] }),
    JSON.stringify({ ...good, entry_hash: 'a'.repeat(64), decisions: [['allow', 99]] }),
    JSON.stringify({ ...good, next: good.next + 5, decisions: [['allow', 99]] }),
  ]
  for (const text of wrong) {
    writeFileSync(file, text)
    assertEqualsLedger(place, await numbersOf(place, ledger))
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), good)
  }
})

test('what was pruned after it was counted stays counted; what was gone before is said', async () => {
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 1 << 20 })
  append(ledger, 0, 1500, 1000)
  const before = await numbersOf(place, ledger)
  ledger.prune(ledger.size, { policy: 'test', unanchored: true })
  append(ledger, 1500, 5)
  const after = await numbersOf(place, ledger)
  const series = 'sworn_events_total{event_type="tool_call_end"}'
  assert.deepEqual([before.get(series), after.get(series), after.get('sworn_uncounted_entries_total')], [1500, 1505, 0])
  rmSync(join(place.path, 'metrics'), { recursive: true })
  const anew = await numbersOf(place, ledger)
  const missed = anew.get('sworn_uncounted_entries_total')!
  assert.ok(missed > 0)
  assert.equal(anew.get('sworn_counted_entries')! - missed, linesOf(place.path).length)
})

test('sinks, checkpoint and recorder stand beside it; a line that is none is said, and the rest still answers', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 3)
  const refuses = {
    limits: { items: 5, bytes: 1 << 20 },
    send: async () => ({ refused: [{ index: 0, reason: 'no' }] }),
    probe: async () => ({ shown: 'in memory' }),
    close: async () => {},
  }
  await finish(start(place.path, ledger.info.origin, [planOf({ open: async () => refuses }, { name: 'one' })]))
  append(ledger, 3, 2)
  ledger.close()
  const ackMs = { boundsMs: [1, 1000], counts: [4, 3, 2], sumMs: 6000 }
  const counters = { recorded: 9, acknowledged: 8, failed: 1, refused: 0, filtered: 2, shed: 3, waited: 4, batches: 5, bytes: 6 }
  const syncMs = { boundsMs: [1, 1000], counts: [5, 1, 0], sumMs: 500 }
  const recorder = { stats: () => ({ ...counters, outstanding: 7, outstandingBytes: 70, ackMs, syncMs }) }
  const values = await numbersOf(place, ledger, { recorder })
  for (const [series, value] of [
    ['sworn_sink_parked_entries{sink="one"}', 1],
    ['sworn_sink_lost_entries_total{sink="one"}', 0],
    ['sworn_sink_trouble{sink="one"}', 0],
    ['sworn_recorder_events_total{outcome="shed"}', 3],
    ['sworn_queue_events', 7],
    ['sworn_append_seconds_bucket{le="0.001"}', 4],
    ['sworn_append_seconds_bucket{le="1"}', 7],
    ['sworn_append_seconds_bucket{le="+Inf"}', 9],
    ['sworn_append_seconds_sum', 6],
    ['sworn_fsync_seconds_bucket{le="0.001"}', 5],
    ['sworn_fsync_seconds_count', 6],
  ] as const)
    assert.equal(values.get(series), value, series)
  assert.ok(values.get('sworn_sink_lag_entries{sink="one"}')! >= 2)
  const [signed, entries] = [values.get('sworn_signed_entries')!, values.get('sworn_ledger_entries')!]
  assert.ok(signed >= 6 && signed <= entries, `${signed} of ${entries}`)
  assert.ok(values.get('sworn_signed_timestamp_seconds')! > 1_700_000_000)
  const { directory } = findLedger(place.path, '/')
  const [first = ''] = [join(directory!, 'segments', '00000000000000000000.jsonl')]
  writeFileSync(first, 'no entry\n', { flag: 'a' })
  const broken = await numbersOf(place, ledger)
  assert.deepEqual([broken.get('sworn_readable{part="entries"}'), broken.get('aip_violations_total')], [0, 0])
  await assert.rejects(numbersOf(place, ledger, { strict: true }), /LINE_MALFORMED|an entry was expected/)
})

test('an index that cannot be read is said, and takes nothing else from the page, strict or not', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const index = () => Promise.reject(new Error('file is not a database'))
  for (const strict of [false, true]) {
    const values = await numbersOf(place, ledger, { strict, index })
    assert.deepEqual([values.get('sworn_readable{part="index"}'), values.get('sworn_readable{part="ledger"}')], [0, 1])
  }
})

test('what the last verification said is told until the next one, and what is no such file is not', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  const names = ['sworn_verify_holds{claim="chain"}', 'sworn_verify_findings', 'sworn_verified_entries', 'sworn_verify_timestamp_seconds']
  const told = async () => {
    const values = await numbersOf(place, ledger)
    return names.map((name) => values.get(name))
  }
  assert.deepEqual(await told(), [undefined, undefined, undefined, undefined])
  writeVerified(place.path, { atMs: 1_795_000_000_000, entries: 7, findings: 2, claims: { chain: false } })
  assert.deepEqual(await told(), [0, 2, 7, 1_795_000_000])
  writeVerified(place.path, { atMs: 1_795_000_001_000, entries: 9, findings: 0, claims: { chain: true } })
  assert.deepEqual(await told(), [1, 0, 9, 1_795_000_001])
  writeFileSync(join(place.path, 'metrics', 'verified.json'), '{"format":"sworn-verified/v1","claims":{"a b":1}}')
  assert.deepEqual(await told(), [undefined, undefined, undefined, undefined])
})

test('the widest cosigned checkpoint counts, by target, over a restart; targets are bounded', () => {
  const first = createTally()
  const anchor = (target: unknown, size: unknown, timestamp = '2026-11-21T10:00:00.000Z') =>
    first.add({ event_type: 'log.anchor', target, size, timestamp })
  anchor('witness.example', 9)
  anchor('witness.example', 4, '2026-11-21T11:00:00.000Z')
  anchor('witness.example', 'many')
  anchor('other.example', 5, 'no time')
  for (let n = 0; n < 40; n++) anchor(`w${n}`, n)
  const place = makePlace()
  mkdirSync(place.path, { recursive: true })
  const path = countsPath(place.path)
  writeCounts(path, { origin: 'o', next: 1, entryHash: GENESIS, missed: 0, counts: first.counts() })
  const { anchors } = createTally(readCounts(path)!.counts).counts()
  assert.deepEqual(anchors.get('witness.example'), { size: 9, notedMs: Date.parse('2026-11-21T10:00:00.000Z') })
  assert.equal(anchors.has('other.example'), false)
  assert.equal(anchors.size, 21)
})

test('what others counted stands beside it; nothing stands twice', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  record(ledger, [decision('deny', { violation: true })])
  const sample = (name: string, labels: Record<string, string>, value: number) => ({ name, help: 'h', labels, value })
  const samples = () => [
    sample('aip_decisions_total', { decision: 'allow' }, 2),
    sample('aip_decisions_total', { decision: 'block' }, 3),
    sample('aip_violations_total', {}, 9),
  ]
  const metrics = open(place, ledger, { samples })
  const text = await metrics.text()
  await metrics.close()
  const values = parse(text)
  assert.deepEqual(
    ['aip_decisions_total{decision="allow"}', 'aip_decisions_total{decision="block"}', 'aip_violations_total'].map((s) => values.get(s)),
    [2, 3, 1],
  )
  assert.equal(text.match(/# TYPE aip_violations_total counter/g)?.length, 1)
})

test('the route answers GET with the text and its type, and nothing else', async () => {
  const route = createMetricsRoute({ text: async () => 'up 1\n' })
  const answer = await route(new Request('http://127.0.0.1/metrics'))
  assert.deepEqual([answer.status, await answer.text()], [200, 'up 1\n'])
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  assert.equal((await route(new Request('http://127.0.0.1/metrics', { method: 'POST' }))).status, 405)
})

test('promtool finds no fault in the text', async (t) => {
  const place = makePlace()
  const ledger = openAt(place)
  record(ledger, [answered(true, 900), match('AWS Access Key', 2)])
  const syncMs = { boundsMs: [1, 1000], counts: [5, 1, 0], sumMs: 500 }
  const counters = { recorded: 9, acknowledged: 8, failed: 1, refused: 0, filtered: 2, shed: 3, waited: 4, batches: 5, bytes: 6 }
  const recorder = { stats: () => ({ ...counters, outstanding: 7, outstandingBytes: 70, ackMs: syncMs, syncMs }) }
  const verified = { atMs: 1_795_000_000_000, entries: 7, findings: 2, claims: { chain: false } }
  const metrics = open(place, ledger, { recorder, verified: () => verified, index: async () => [gauge('sworn_index_entries', 'h', 1)] })
  const text = await metrics.text()
  await metrics.close()
  const check = spawnSync(process.env.PROMTOOL ?? 'promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  if (check.error) return t.skip('NO PROMTOOL here (Debian: prometheus): the text was not checked by it')
  assert.deepEqual([check.status, check.stdout + check.stderr], [0, ''])
})
