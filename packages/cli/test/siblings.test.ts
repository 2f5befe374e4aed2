/** Logs that logrotate moved away before a recorder adopted them, and closed segments that an operator compressed. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { findLedger, followLedger, listSegments } from '@sworn/analyze/reading'
import { type Item, openLedger } from '@sworn/recorder'
import type { Report } from '@sworn/verify'
import { sworn, temporary } from './support/io.ts'

interface Place {
  readonly cwd: string
  readonly home: string
  readonly path: string
}

function append(place: Place, from: number, count: number, rotateBytes = 1 << 20): void {
  const ledger = openLedger({ path: place.path, home: place.home, rotateBytes, now: () => 1_795_000_000_000, host: 'h', version: '0' })
  for (let n = from; n < from + count; n++) ledger.append([itemOf(n)])
  ledger.close()
}

function itemOf(n: number): Item {
  const eventId = `0190b0a0-0000-7000-8000-${String(n).padStart(12, '0')}`
  const json = JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', event_type: 'tool_call_end', event_id: eventId, tool: `t${n}` })
  return { json, eventId, eventType: 'tool_call_end', level: 'sync', producerId: 'p' }
}

function record(name = 'audit.jsonl', count = 12, rotateBytes = 1 << 20): Place {
  const cwd = temporary()
  const place = { cwd, home: temporary(), path: join(cwd, name) }
  append(place, 0, count, rotateBytes)
  return place
}

async function verify(place: Place): Promise<{ code: number; report: Report; found: string[] }> {
  const ran = await sworn(['verify', place.path, '--json'], place)
  const report = JSON.parse(ran.out) as Report // toJson
  return { code: ran.code, report, found: report.findings.map((f) => f.class) }
}

const tools = async (command: string[], place: Place): Promise<string[]> => {
  const { out } = await sworn([...command, '--type', 'tool_call_end'], place)
  return [...out.matchAll(/"tool":"(t\d+)"/g)].map((match) => match[1]!)
}
const named = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${n}`)

const PACK: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  '': (bytes) => bytes,
  '.gz': (bytes) => zlib.gzipSync(bytes),
  '.zst': (bytes) => zlib.zstdCompressSync(bytes),
}

for (const [ending, pack] of Object.entries(PACK)) {
  for (const fresh of ['gone', 'empty'] as const) {
    test(`a log that was rotated to audit.jsonl.1${ending} and not adopted is read there, while the file under the stable name is ${fresh}`, async () => {
      const place = record()
      const before = await verify(place)
      const bytes = readFileSync(place.path)
      rmSync(place.path)
      writeFileSync(`${place.path}.1${ending}`, pack(bytes))
      if (fresh === 'empty') writeFileSync(place.path, '')
      const after = await verify(place)
      assert.deepEqual([after.code, after.found, after.report.size, after.report.head], [0, [], before.report.size, before.report.head])
      assert.deepEqual(await tools(['query', place.path, '--format', 'jsonl'], place), named(12))
      assert.deepEqual(await tools(['tail', place.path, '--json', '-n', '3'], place), named(12).slice(-3))
      append(place, 12, 2) // adopted now: the copy beside is no segment of its own any more
      assert.equal(listSegments(findLedger(place.path, '/')).filter(({ path }) => path.includes('.jsonl.1')).length, 0)
      assert.equal((await verify(place)).code, 0)
    })
  }
}

test('two rotations in a row are read in the order of their entries, not of their names', async () => {
  const place = record()
  renameSync(place.path, `${place.path}-b`)
  append(place, 12, 3)
  renameSync(place.path, `${place.path}-a`)
  rmSync(join(`${place.path}.ledger`, 'segments'), { recursive: true }) // the adopted copy is not there yet
  const { code, report, found } = await verify(place)
  assert.deepEqual([code, found], [0, []])
  assert.ok(report.size > 15)
  assert.deepEqual(await tools(['query', place.path, '--format', 'jsonl'], place), named(15))
})

test('what does not go on where the closed segments end is no segment: backups, older copies, other files, directories', async () => {
  const place = record('audit.jsonl', 40, 3_000)
  const expected = (await verify(place)).report
  const closed = join(`${place.path}.ledger`, 'segments')
  const [first] = readdirSync(closed).filter((name) => name.endsWith('.jsonl'))
  writeFileSync(`${place.path}.bak`, readFileSync(place.path))
  writeFileSync(`${place.path}.1`, readFileSync(join(closed, first!)))
  writeFileSync(`${place.path}.2.gz`, 'no gzip')
  writeFileSync(`${place.path}.3.zst`, zlib.zstdCompressSync(Buffer.from('no lines')))
  writeFileSync(`${place.path}.txt`, 'hello\n')
  writeFileSync(`${place.path}.gap`, readFileSync(place.path, 'utf8').replace(/"seq":\d+/, '"seq":100000'))
  cpSync(`${place.path}.ledger`, `${place.path}-copy`, { recursive: true })
  const { code, report } = await verify(place)
  assert.deepEqual([code, report.size, report.head], [0, expected.size, expected.head])
})

test('a forged sibling is found: its lines are verified like any other', async () => {
  const place = record()
  const bytes = readFileSync(place.path, 'utf8')
  rmSync(place.path)
  writeFileSync(`${place.path}.1`, bytes.replace('"t5"', '"t6"'))
  assert.deepEqual((await verify(place)).found.slice(0, 1), ['entry_hash_mismatch'])
})

/** Compresses every closed segment of a directory in the place of the plain one. */
function compressClosed(place: Place, ending: string): string[] {
  const segments = join(place.path, 'segments')
  const closed = readdirSync(segments)
    .filter((name) => /^\d{20}\.jsonl$/.test(name))
    .toSorted()
    .slice(0, -1)
  for (const name of closed) {
    writeFileSync(join(segments, name + ending), PACK[ending]!(readFileSync(join(segments, name))))
    rmSync(join(segments, name))
  }
  return closed.map((name) => join(segments, name))
}

for (const ending of ['.gz', '.zst']) {
  test(`closed segments that an operator compressed (${ending}) are read by query and tail`, async () => {
    const place = record('audit', 40, 3_000)
    const closed = compressClosed(place, ending)
    assert.ok(closed.length > 2 && !closed.some((path) => existsSync(path)))
    assert.deepEqual(await tools(['query', place.path, '--format', 'jsonl'], place), named(40))
    assert.deepEqual(await tools(['tail', place.path, '--json', '-n', '50'], place), named(40))
    assert.equal((await verify(place)).code, 0)
  })
}

for (const ending of ['.gz', '.zst']) {
  for (const lost of ['nothing else', 'the index too'] as const) {
    test(`the recorder opens, continues and prunes a ledger whose closed segments were compressed (${ending}), ${lost} lost`, async () => {
      const place = record('audit', 40, 3_000)
      compressClosed(place, ending)
      if (lost === 'the index too') rmSync(join(place.path, 'index'), { recursive: true })
      append(place, 40, 20, 3_000)
      const { code, report, found } = await verify(place)
      assert.deepEqual([code, found], [0, []])
      assert.deepEqual(await tools(['query', place.path, '--format', 'jsonl'], place), named(60))
      const gaps = await sworn(['query', place.path, '--type', 'log.gap', '--format', 'jsonl'], place)
      assert.equal(gaps.out, '')
      const ledger = openLedger({ path: place.path, home: place.home, now: () => 1_795_000_000_000, host: 'h', version: '0' })
      assert.equal(ledger.append([itemOf(3)]).length, 1) // an event of a compressed segment again: it is there already
      ledger.prune(report.size - 5, { policy: 'old', unanchored: true })
      ledger.close()
      const left = readdirSync(join(place.path, 'segments'))
      assert.ok(!left.some((name) => name.startsWith('0'.repeat(20))), left.join())
      const pruned = await verify(place)
      assert.deepEqual([pruned.code, pruned.found], [0, []])
      assert.equal(pruned.report.size > report.size, true)
    })
  }
}

test('a compressed segment that is damaged stops no recorder that needs nothing of it, and is corrupt to a verification', async () => {
  const place = record('audit', 40, 3_000)
  const closed = compressClosed(place, '.gz')
  const damaged = `${closed[2]!}.gz`
  writeFileSync(damaged, readFileSync(damaged).subarray(0, 40))
  append(place, 40, 2)
  assert.ok((await verify(place)).found.includes('corrupt'))
})

test('tail -f goes on behind a compressed segment and shows none of its bytes', async () => {
  const place = record('audit', 40, 3_000)
  const closed = compressClosed(place, '.gz')
  const files = findLedger(place.path, '/')
  const [last] = listSegments(files).slice(-1)
  const lines = readFileSync(last!.path)
  rmSync(last!.path)
  assert.ok(listSegments(files).length === closed.length)
  const abort = new AbortController()
  const following = followLedger(files, last!.firstSeq!, abort.signal)
  const first = following.next()
  writeFileSync(last!.path, lines)
  assert.deepEqual((await first).value, lines.subarray(0, lines.indexOf(10)))
  abort.abort()
  await following.return(undefined)
})
