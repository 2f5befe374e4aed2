/** Whoever reads a ledger while it is rotated, packed and pruned sees every line that was there, or is told; never a hole. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Ledger, openLedger } from '@sworn/recorder'
import { findLedger, type LedgerFiles, listSegments, readLedger } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { openSource } from '../src/open-source.ts'
import { createScan } from '../src/query/scan.ts'
import type { Source } from '../src/query/source.ts'
import { followLedger } from '../src/reading/index.ts'
import { temporary } from './support/ledgers.ts'

const SORTED = { sort: 'seq', descending: false } as const

async function* seqsOf(source: Source): AsyncGenerator<number> {
  for await (const { seq } of source.find({ filter: {}, order: SORTED, passing: true })) yield seq
}

const readers: [string, (files: LedgerFiles) => AsyncGenerator<number>][] = [
  [
    'readLedger',
    async function* (files) {
      for await (const { bytes } of readLedger(files)) yield JSON.parse(bytes.toString('utf8')).seq
    },
  ],
  ['a scan', (files) => seqsOf(createScan(files, { threads: 1 }))],
  ['a scan on threads', (files) => seqsOf(createScan(files, { threads: 2 }))],
  [
    'the index',
    async function* (files) {
      const source = await openSource(files)
      yield* seqsOf(source)
      source.close()
    },
  ],
]

/** Each line is larger than what readers hold at once, so that a reader who is not asked has read no further. */
function write(ledger: Ledger, events: number): void {
  for (let n = 0; n < events; n++) {
    const eventId = randomUUID()
    const event = { timestamp: '2026-01-01T00:00:00.000Z', event_type: 'data_access', note: 'x'.repeat(300_000), event_id: eventId }
    const [answer] = ledger.append([{ json: JSON.stringify(event), eventId, eventType: 'data_access', level: 'sync', producerId: 'p' }])
    if (answer instanceof Error) throw answer
  }
}

let time = Date.parse('2026-01-01T00:00:00Z')
const open = (path: string, home: string) => openLedger({ path, home, rotateBytes: 1_000_000, now: () => time })

/** Packs every closed segment. */
function pack(ledger: Ledger): void {
  time += 5000
  while (ledger.nextTickAt() <= time) ledger.tick() // a closed segment gets its sum
  assert.ok(ledger.pack('zstd') > 2)
}

for (const name of ['audit', 'audit.jsonl']) {
  for (const [what, read] of readers) {
    test(`${what} of ${name} goes on where it was, over rotations and packed segments`, async () => {
      const [at, home] = [temporary(), temporary()]
      const path = join(at, name)
      const ledger = open(path, home)
      write(ledger, 10)
      const { size } = ledger
      const seqs: number[] = []
      for await (const seq of read(findLedger(path, '/'))) {
        seqs.push(seq)
        if (seq !== 1) continue
        write(ledger, 8)
        if (what !== 'a scan on threads') pack(ledger)
      }
      ledger.close()
      assert.deepEqual(
        seqs,
        seqs.map((_, n) => n),
      )
      assert.ok(seqs.length >= size, `${seqs.length} of ${size}`)
    })
  }
}

for (const name of ['audit', 'audit.jsonl']) {
  for (const step of ['packed', 'pruned'] as const) {
    test(`who follows ${name} goes on over segments that were closed and ${step} before they were come to`, {
      timeout: 20_000,
    }, async () => {
      const [at, home] = [temporary(), temporary()]
      const path = join(at, name)
      const ledger = open(path, home)
      write(ledger, 2)
      const stop = new AbortController()
      const following = followLedger(findLedger(path, '/'), 0, stop.signal)
      const seqOf = (line: Buffer) => JSON.parse(line.toString('utf8')).seq as number
      const seqs = [seqOf((await following.next()).value!)]
      write(ledger, 14)
      const from = step === 'packed' ? 1 : (listSegments(findLedger(path, '/')).at(-2)?.firstSeq ?? 0)
      if (step === 'packed') pack(ledger)
      else ledger.prune(from, { policy: 'p', unanchored: true })
      write(ledger, 2)
      const last = ledger.size - 1
      for await (const line of following) {
        seqs.push(seqOf(line))
        if (seqs.at(-1) === last) stop.abort()
      }
      ledger.close()
      const expected = Array.from({ length: last + 1 }, (_, seq) => seq)
      const dropped = expected.filter((seq) => !seqs.includes(seq))
      assert.deepEqual(
        seqs,
        expected.filter((seq) => !dropped.includes(seq)),
      )
      assert.ok(step === 'packed' ? dropped.length === 0 : dropped.every((seq) => seq < from), dropped.join(' '))
    })
  }
}

test('a ledger whose next file was pruned while it was read is not read over the hole', async () => {
  const [path, home] = [join(temporary(), 'audit'), temporary()]
  const ledger = open(path, home)
  write(ledger, 14)
  const files = findLedger(path, '/')
  assert.ok(listSegments(files).length > 3)
  for (const [what, read] of readers) {
    const reading = read(files)
    await reading.next()
    ledger.prune(ledger.size, { policy: 'p', unanchored: true })
    await assert.rejects(
      Array.fromAsync(reading),
      (e) => SwornError.is(e, 'IO_FAILED') && /was dropped while the ledger was read; ask again/.test(e.message),
      what,
    )
    write(ledger, 14)
  }
  ledger.close()
})
