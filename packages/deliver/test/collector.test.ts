/**
 * A collector and those that deliver to it: whatever comes, in whatever order, the mirror is the ledger or nothing, and
 * who cuts or rewrites a ledger contradicts what was sent.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import type { AuditEvent } from '@sworn/recorder'
import { findLedger } from '@sworn/recorder/segments'
import { openNote, parseVkey, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { append, finish, linesOf, makePlace, openAt, type Place, planOf, start, until } from '../../../testkit/src/sink-contract.ts'
import { count } from '../../../testkit/src/suite.ts'
import {
  type CollectorRoute,
  type Cosigner,
  createCollector,
  fileStore,
  openCosigner,
  readSinkStatus,
  reconcile,
  type SinkPlan,
  sinkPlaces,
} from '../src/index.ts'
import { collectorSink } from '../src/sinks/collector.ts'
import { collectorHoldings } from '../src/sinks/collector-holdings.ts'

const TOKEN = 'the-token-of-the-first-producer'
const OTHER = 'the-token-of-the-other-producer'
const NOW = 1_795_000_000_000

interface Collecting {
  readonly directory: string
  readonly cosigner: Cosigner
  readonly events: AuditEvent[]
  route: CollectorRoute
  restart(): void
  post(logId: string, part: string, body: string | Buffer, token?: string): Promise<{ status: number; body: Record<string, unknown> }>
  ask(logId: string, part?: string): Promise<{ status: number; text: string }>
}

function collecting(limits = {}): Collecting {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-collector-'))
  const cosigner = openCosigner(join(directory, 'state'))
  const events: AuditEvent[] = []
  const create = () =>
    createCollector({
      storeOf: (logId) => fileStore(join(directory, 'mirrors', logId)),
      cosigner,
      tokens: [
        { token: TOKEN, name: 'one' },
        { token: OTHER, name: 'two' },
      ],
      now: () => NOW,
      record: async (event) => void events.push(event),
      limits,
    })
  const self: Collecting = {
    directory,
    cosigner,
    events,
    route: create(),
    restart: () => void (self.route = create()),
    async post(logId, part, body, token = TOKEN) {
      const request = new Request(`http://c/v1/mirrors/${logId}/${part}`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${token}` },
      })
      const response = await self.route(request)
      return { status: response!.status, body: (await response!.json()) as Record<string, unknown> }
    },
    async ask(logId, part = '') {
      const response = await self.route(
        new Request(`http://c/v1/mirrors/${logId}${part}`, { headers: { authorization: `Bearer ${TOKEN}` } }),
      )
      return { status: response!.status, text: await response!.text() }
    },
  }
  return self
}

/** A closed ledger of `n` events over several segments. */
function ledgerOf(n: number): { place: Place; logId: string; origin: string; lines: string[] } {
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 4_000 })
  append(ledger, 0, n)
  ledger.close()
  return { place, ...ledger.info, lines: linesOf(place.path) }
}

/** What an alert says. */
const told = ({ metadata }: AuditEvent) => metadata as { rule?: string; log_id?: string; at?: string }

const mirrorOf = ({ directory }: Collecting, logId: string) => join(directory, 'mirrors', logId)
const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
const filesOf = (path: string) =>
  Object.fromEntries(
    readdirSync(join(path, 'segments'))
      .toSorted()
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => [name, readFileSync(join(path, 'segments', name), 'utf8')]),
  )

test('whatever pieces come, again, out of order, with gaps and over restarts: the mirror is the ledger, segment by segment', async () => {
  const { place, logId, lines } = ledgerOf(30)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ from: fc.nat(lines.length - 1), length: fc.integer({ min: 1, max: 20 }), restart: fc.boolean() }), {
        maxLength: 12,
      }),
      async (pieces) => {
        const collector = collecting()
        for (const { from, length, restart } of pieces) {
          if (restart) collector.restart()
          const { status, body } = await collector.post(logId, 'lines', textOf(lines.slice(from, from + length)))
          assert.ok(status === 200 || (status === 409 && (body.error as { code: string }).code === 'MIRROR_GAP'), JSON.stringify(body))
        }
        const { size } = JSON.parse((await collector.ask(logId)).text)
        const { status, body } = await collector.post(logId, 'lines', textOf(lines.slice(size ?? 0)))
        assert.equal(status, 200, JSON.stringify(body))
        assert.deepEqual(filesOf(mirrorOf(collector, logId)), filesOf(place.path))
        assert.deepEqual(collector.events, [])
        rmSync(collector.directory, { recursive: true })
      },
    ),
    { numRuns: count({ fast: 25, ci: 60, full: 200 }) },
  )
})

test('a mirror verifies as the ledger does, and is anchored by the collector whose key one trusts', async () => {
  const { logId, lines } = ledgerOf(20)
  const collector = collecting()
  const { body } = await collector.post(logId, 'lines', textOf(lines))
  const { size, note, line } = body.cosigned as { size: number; note: string; line: string }
  await openNote(nodePrimitives, `${note}${line}\n`, [collector.cosigner.key])
  const checkpoint = readFileSync(join(mirrorOf(collector, logId), 'checkpoint'), 'utf8')
  const witness = { witnesses: [collector.cosigner.key] }
  const report = await verifyLog([Buffer.from(textOf(lines))], {
    primitives: nodePrimitives,
    checkpoints: [checkpoint],
    witness,
    require: 'tree',
  })
  assert.deepEqual(
    report.findings.map((found) => found.class),
    [],
  )
  assert.equal(report.levels.anchored.size, size)
  assert.equal(report.levels.anchored.quorum, 1)
})

/** What somebody may send instead of the true lines; the code that it is refused with. */
const forgeries: Record<string, [forge: (lines: string[]) => string[], code: RegExp]> = {
  'a changed byte': [(lines) => lines.with(5, lines[5]!.replace('"timestamp":"2', '"timestamp":"3')), /LINE_MALFORMED/],
  'a line left out': [(lines) => lines.toSpliced(5, 1), /MIRROR_GAP/],
  'two lines exchanged': [(lines) => lines.with(5, lines[6]!).with(6, lines[5]!), /MIRROR_GAP/],
  'another first line': [(lines) => lines.slice(1), /MIRROR_GAP/],
  'no entry': [(lines) => lines.with(5, 'no entry'), /LINE_MALFORMED/],
}

for (const [what, [forge, code]] of Object.entries(forgeries))
  test(`${what} is refused, and nothing of it counts`, async () => {
    const { logId, lines } = ledgerOf(10)
    const collector = collecting()
    const { status, body } = await collector.post(logId, 'lines', textOf(forge(lines)))
    assert.ok(status === 409 || status === 422)
    assert.match((body.error as { code: string }).code, code)
    assert.equal((await collector.ask(logId)).status, 404)
    assert.equal(existsSync(mirrorOf(collector, logId)), false)
  })

test('a body that does not end is 408, and its connection ends', async () => {
  const { logId } = ledgerOf(1)
  const headers = { authorization: `Bearer ${TOKEN}` }
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
  const request = new Request(`http://c/v1/mirrors/${logId}/lines`, { method: 'POST', headers, body, duplex: 'half' })
  const response = await collecting({ timeMs: 20 }).route(request)
  assert.deepEqual([response?.status, response?.headers.get('connection')], [408, 'close'])
})

test('half a line, a body that is too long, another log_id, a wrong token and another producer are refused', async () => {
  const { logId, lines } = ledgerOf(5)
  const collector = collecting({ bytes: 100_000 })
  assert.equal((await collector.post(logId, 'lines', lines[0]!)).status, 422)
  const packed = { authorization: `Bearer ${TOKEN}`, 'content-encoding': 'gzip' }
  const request = new Request(`http://c/v1/mirrors/${logId}/lines`, { method: 'POST', body: lines[0]!, headers: packed })
  assert.equal((await collector.route(request))?.status, 415)
  assert.equal((await collector.post(logId, 'lines', Buffer.alloc(100_001, 'x'))).status, 413)
  assert.equal((await collector.post('A'.repeat(22), 'lines', textOf(lines))).status, 422)
  assert.equal((await collector.post(logId, 'lines', textOf(lines), 'a-token-that-nobody-has')).status, 401)
  assert.equal((await collector.post(logId, 'lines', textOf(lines))).status, 200)
  assert.equal((await collector.post(logId, 'lines', textOf(lines), OTHER)).status, 403)
  assert.equal(await collector.route(new Request('http://c/v1/mirrors/../../etc')), undefined)
})

test('a ledger that was rewritten, or cut and gone on with, is a fork: 409, an alert, and the mirror stays as it was', async () => {
  const first = ledgerOf(12)
  const collector = collecting()
  await collector.post(first.logId, 'lines', textOf(first.lines))
  const before = filesOf(mirrorOf(collector, first.logId))
  // Whoever has the key goes on from an earlier line.
  const { createHash } = await import('node:crypto')
  const at = 6
  const body = `{"timestamp":"2026-11-21T10:00:00.000Z","event_type":"data_access","seq":${at},"previous_hash":"${JSON.parse(first.lines[at - 1]!).entry_hash}"`
  const forged = `${body},"entry_hash":"${createHash('sha256').update(body).digest('hex')}"}`
  for (const lines of [[...first.lines.slice(0, at), forged], [forged]]) {
    const { status, body: answer } = await collector.post(first.logId, 'lines', textOf(lines))
    assert.deepEqual([status, (answer.error as { code: string }).code], [409, 'MIRROR_FORK'])
  }
  assert.deepEqual(filesOf(mirrorOf(collector, first.logId)), before)
  assert.deepEqual(
    collector.events.map((event) => [event.event_type, event.severity, told(event).rule, told(event).log_id, told(event).at]),
    [['security_alert', 'critical', 'mirror_fork', first.logId, `seq=${at}`]],
  )
})

test('NOT found: a ledger that was rewritten before its first delivery', async () => {
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 5)
  ledger.close()
  rmSync(place.path, { recursive: true })
  rmSync(place.home, { recursive: true })
  const rewritten = openAt(place)
  append(rewritten, 0, 2)
  rewritten.close()
  const collector = collecting()
  const { status } = await collector.post(rewritten.info.logId, 'lines', textOf(linesOf(place.path)))
  assert.deepEqual([status, collector.events], [200, []])
})

test('who presents an older checkpoint is told of the rollback, and it is recorded', async () => {
  const { place, logId, lines } = ledgerOf(12)
  const collector = collecting()
  await collector.post(logId, 'lines', textOf(lines))
  const notes = lines.map((line) => JSON.parse(line)).filter((entry) => entry.event_type === 'log.checkpoint')
  const newest = readFileSync(join(place.path, 'checkpoint'), 'utf8')
  assert.equal((await collector.post(logId, 'checkpoint', newest)).status, 200)
  assert.ok(notes.length >= 1)
  const again = openAt(place)
  append(again, 12, 3)
  again.close()
  await collector.post(logId, 'lines', textOf(linesOf(place.path)))
  const { status, body } = await collector.post(logId, 'checkpoint', newest)
  assert.deepEqual([status, (body.error as { code: string }).code], [409, 'MIRROR_ROLLBACK'])
  assert.deepEqual(
    collector.events.map((event) => told(event).rule),
    ['mirror_rollback'],
  )
  const unsigned = `${newest.split('\n').slice(0, 3).join('\n')}\n\n— nobody AAAAAAAA\n`
  assert.equal((await collector.post(logId, 'checkpoint', unsigned)).status, 422)
})

test('what a crash left behind what counts is cut off; what counted and is gone is said', async () => {
  const { logId, lines } = ledgerOf(20)
  const collector = collecting()
  await collector.post(logId, 'lines', textOf(lines.slice(0, 12)))
  const mirror = mirrorOf(collector, logId)
  const before = filesOf(mirror)
  const last = Object.keys(before).at(-1)!
  writeFileSync(join(mirror, 'segments', last), `${before[last]}{"half":`)
  writeFileSync(join(mirror, 'segments', `${'9'.repeat(20)}.jsonl`), 'never counted\n')
  writeFileSync(join(mirror, 'tree', 'L0'), Buffer.concat([readFileSync(join(mirror, 'tree', 'L0')), Buffer.alloc(50)]))
  collector.restart()
  assert.equal((await collector.post(logId, 'lines', textOf(lines.slice(10)))).status, 200)
  assert.equal(Object.values(filesOf(mirror)).join(''), textOf(lines))
  writeFileSync(join(mirror, 'tree', 'L0'), '')
  collector.restart()
  assert.equal((await collector.post(logId, 'lines', textOf(lines))).status, 503)
})

/** The collector behind a real listener. */
async function listening(t: TestContext, collector: Collecting): Promise<string> {
  const server: Server = createServer(
    getRequestListener(async (request) => (await collector.route(request)) ?? new Response(null, { status: 404 })),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function planTo(url: string, { path }: Place): SinkPlan {
  const common = { url, token: TOKEN, ledgerPath: path }
  const plan = planOf({ open: collectorSink({ ...common, name: 'test', now: Date.now }), shape: { records: 'all' } })
  return { ...plan, batch: { lingerMs: 0 }, holdings: collectorHoldings(common) }
}

test('delivery to a collector: the mirror is the ledger, the cosigned checkpoint comes back, reconciliation asks for roots', async (t) => {
  const collector = collecting()
  const url = await listening(t, collector)
  const place = makePlace()
  const ledger = openAt(place, { rotateBytes: 1 << 18 })
  append(ledger, 0, 700)
  ledger.close()
  const { origin, logId } = ledger.info
  const plan = planTo(url, place)
  await finish(start(place.path, origin, [plan]))
  assert.deepEqual(filesOf(mirrorOf(collector, logId)), filesOf(place.path))
  const back = readFileSync(join(place.path, '.state', 'anchors', 'inbox', 'test'), 'utf8')
  await openNote(nodePrimitives, back, [collector.cosigner.key])

  const asked: string[] = []
  const { route } = collector
  collector.route = (request) => {
    asked.push(new URL(request.url).pathname.split('/').at(-1)!)
    return route(request)
  }
  const look = () =>
    reconcile({
      files: findLedger(place.path, '/'),
      ...{ origin, version: '0', plan, places: sinkPlaces(place.path, 'test') },
      signal: new AbortController().signal,
    })
  const equal = await look()
  assert.deepEqual([equal.missing.count, equal.altered.count, equal.extra.count, equal.tree?.holds], [0, 0, 0, true])
  assert.deepEqual([...new Set(asked)], ['root', 'lines']) // lines: only whether there is more than the ledger has
  assert.equal(asked.filter((part) => part === 'lines').length, 1)

  const [name = ''] = Object.keys(filesOf(mirrorOf(collector, logId)))
  const segment = join(mirrorOf(collector, logId), 'segments', name)
  writeFileSync(segment, readFileSync(segment, 'utf8').replace('"tool":"tool_300"', '"tool":"fool_300"'))
  const found = await look()
  const at = linesOf(place.path).findIndex((line) => line.includes('"tool":"tool_300"'))
  assert.deepEqual([found.altered.seqs, found.missing.count], [[at], 0])

  const lines = readFileSync(segment, 'utf8').split('\n')
  writeFileSync(segment, [...lines.slice(0, 20), 'garbage', ...lines.slice(21, 30), ...lines.slice(31)].join('\n'))
  const worse = await look()
  assert.deepEqual([worse.altered.seqs, worse.missing.seqs, worse.extra.count], [[20, at], [30], 0])
})

/** How a collector may fail a request: before it took anything, or after. */
const faults: Record<string, (route: CollectorRoute, request: Request) => ReturnType<CollectorRoute>> = {
  'an error': async () => new Response('the body of an error', { status: 503 }),
  'a 200 that means nothing': async () => Response.json({}),
  'a 200 that is no JSON': async () => new Response('<html>'),
  'a token that is not taken': async () => new Response(null, { status: 401 }),
  'an answer that is lost': async (route, request) => {
    await route(request)
    throw new Error('the connection is gone')
  },
}

for (const [what, fail] of Object.entries(faults))
  test(`${what}, at any request: delivered again until the mirror is the ledger`, async (t) => {
    const collector = collecting()
    const url = await listening(t, collector)
    const { route } = collector
    let requests = 0
    collector.route = (request) => (requests++ % 3 === 2 ? route(request) : fail(route, request))
    const place = makePlace()
    const ledger = openAt(place)
    append(ledger, 0, 20)
    ledger.close()
    await finish(start(place.path, ledger.info.origin, [{ ...planTo(url, place), batch: { items: 9, lingerMs: 0 } }]))
    assert.deepEqual(filesOf(mirrorOf(collector, ledger.info.logId)), filesOf(place.path))
    assert.deepEqual(collector.events, [])
  })

test('a key that was changed meanwhile is learnt from the lines, and the new one signs from there', async (t) => {
  const collector = collecting()
  const url = await listening(t, collector)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 5)
  await finish(start(place.path, ledger.info.origin, [planTo(url, place)]))
  ledger.rotateKey()
  append(ledger, 5, 5)
  ledger.close()
  await finish(start(place.path, ledger.info.origin, [planTo(url, place)]))
  const { cosigned } = JSON.parse((await collector.ask(ledger.info.logId)).text)
  const lines = linesOf(place.path)
  const transition = lines.findIndex((line) => line.includes('"event_type":"log.key_transition"'))
  assert.ok(transition > 0 && cosigned.size > transition)
  assert.deepEqual(filesOf(mirrorOf(collector, ledger.info.logId)), filesOf(place.path))
})

test('a collector that lost its newest lines is given them again; one that knows more is never overwritten', async (t) => {
  const collector = collecting()
  const url = await listening(t, collector)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 40)
  const { origin, logId } = ledger.info
  await finish(start(place.path, origin, [planTo(url, place)]))
  rmSync(mirrorOf(collector, logId), { recursive: true })
  collector.restart()
  append(ledger, 40, 10)
  ledger.close()
  await finish(start(place.path, origin, [planTo(url, place)]))
  assert.deepEqual(filesOf(mirrorOf(collector, logId)), filesOf(place.path))

  // The ledger is put back to an earlier state, with all that remembers it, and goes on from there.
  const put = makePlace()
  const before = openAt(put)
  append(before, 0, 5)
  before.close()
  const kept = mkdtempSync(join(tmpdir(), 'sworn-kept-'))
  const { cpSync } = await import('node:fs')
  cpSync(join(put.path, '..'), kept, { recursive: true })
  const more = openAt(put)
  append(more, 5, 5)
  more.close()
  await finish(start(put.path, before.info.origin, [planTo(url, put)]))
  rmSync(join(put.path, '..'), { recursive: true })
  cpSync(kept, join(put.path, '..'), { recursive: true })
  const delivery = start(put.path, before.info.origin, [planTo(url, put)])
  await until(async () => (await readSinkStatus(put.path, Date.now()))[0]?.trouble !== undefined)
  await delivery.close()
  assert.match((await readSinkStatus(put.path, Date.now()))[0]!.trouble!.reason, /^MIRROR_ROLLBACK: the collector holds more entries/)
  assert.equal(told(collector.events.at(-1)!).rule, 'mirror_rollback')
})

/** A ledger whose cosigned checkpoint came back, and was noted by the next one that opened it. */
async function anchored(t: TestContext) {
  const collector = collecting()
  const url = await listening(t, collector)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 10)
  ledger.close()
  const { origin } = ledger.info
  await finish(start(place.path, origin, [planTo(url, place)]))
  const again = openAt(place)
  append(again, 10, 2)
  again.close()
  return { collector, place, lines: linesOf(place.path) }
}

const verifyLines = (lines: readonly string[], { cosigner }: Collecting) =>
  verifyLog([Buffer.from(textOf(lines))], {
    primitives: nodePrimitives,
    witness: { witnesses: [cosigner.key] },
    trust: parseVkey(JSON.parse(lines[0]!).vkey),
  })

test('the recorder notes a cosigned checkpoint as log.anchor, once, and the lines alone are anchored up to it', async (t) => {
  const { collector, place, lines } = await anchored(t)
  const anchors = lines.map((line) => JSON.parse(line)).filter((entry) => entry.event_type === 'log.anchor')
  assert.equal(anchors.length, 1)
  assert.equal(anchors[0].target, collector.cosigner.key.name)
  const report = await verifyLines(lines, collector)
  assert.deepEqual(report.findings, [])
  assert.deepEqual([report.levels.anchored.holds, report.levels.anchored.size], [true, anchors[0].size])
  assert.deepEqual(readdirSync(join(place.path, '.state', 'anchors', 'inbox')), [])
  const stranger = collecting()
  assert.equal((await verifyLines(lines, stranger)).levels.anchored.holds, false)
})

test('a receipt that is none, of another size or by nobody anchors nothing', async (t) => {
  const { collector, lines } = await anchored(t)
  const at = lines.findIndex((line) => line.includes('"event_type":"log.anchor"'))
  const { createHash } = await import('node:crypto')
  /** The line at `at` with other members, linked as its writer could have linked it; what followed is left out. */
  const forge = (members: object): string[] => {
    const { seq, previous_hash, entry_hash: _, ...payload } = JSON.parse(lines[at]!)
    const body = `${JSON.stringify({ ...payload, ...members }).slice(0, -1)},"seq":${seq},"previous_hash":"${previous_hash}"`
    return [...lines.slice(0, at), `${body},"entry_hash":"${createHash('sha256').update(body).digest('hex')}"}`]
  }
  const { receipt, size } = JSON.parse(lines[at]!)
  const [dash, name, base64] = String(receipt).split(' ')
  const bytes = Buffer.from(base64!, 'base64')
  bytes[bytes.length - 1]! ^= 1
  const cases: [members: object, finding: string | undefined][] = [
    [{ receipt: `${dash} ${name} ${bytes.toString('base64')}` }, 'signature_invalid'],
    [{ receipt: 'no receipt' }, 'record_malformed'],
    [{ receipt: 7 }, 'record_malformed'],
    [{ size: size + 1_000 }, 'record_malformed'],
    [{ size: 1 }, undefined],
  ]
  for (const [members, finding] of cases) {
    const report = await verifyLines(forge(members), collector)
    assert.equal(report.levels.anchored.holds, false, JSON.stringify(members))
    if (finding !== undefined)
      assert.ok(
        report.findings.some((found) => found.class === finding),
        `${JSON.stringify(members)}: ${JSON.stringify(report.findings)}`,
      )
  }
})

test('whatever lies in the place of a cosigned checkpoint keeps no event from being recorded', async () => {
  const place = makePlace()
  openAt(place).close()
  const anchors = join(place.path, '.state', 'anchors')
  const { mkdirSync } = await import('node:fs')
  mkdirSync(join(anchors, 'inbox', 'folder'), { recursive: true })
  writeFileSync(join(anchors, 'inbox', 'garbage'), 'no note')
  writeFileSync(join(anchors, 'inbox', 'long'), Buffer.alloc(1 << 20, 'x'))
  writeFileSync(join(anchors, 'inbox', 'plain'), readFileSync(join(place.path, 'checkpoint')))
  const ledger = openAt(place)
  append(ledger, 0, 3)
  ledger.close()
  rmSync(anchors, { recursive: true })
  writeFileSync(anchors, 'a file where a folder was expected')
  const again = openAt(place)
  append(again, 3, 3)
  again.close()
  const lines = linesOf(place.path)
  assert.equal(lines.filter((line) => line.includes('"event_type":"tool_call_end"')).length, 6)
  assert.equal(
    lines.some((line) => line.includes('"event_type":"log.anchor"')),
    false,
  )
})
