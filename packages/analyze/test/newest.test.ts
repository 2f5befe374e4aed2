/** The newest lines, read from the end of a ledger, and where to go on from there. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Entry, findLedger, followLedger, type LedgerFiles, parseEntry, readLedger } from '../src/reading/index.ts'
import { readNewest } from '../src/reading/newest.ts'
import { linesOf, segmentPath, temporary, writeSegments } from './support/ledgers.ts'

type Match = (line: { readonly bytes: Buffer }) => Entry | false | undefined

const LINES = linesOf(Array.from({ length: 30 }, (_, n) => ({ event_type: 'data_access', user: `u-${n % 3}`, pad: 'x'.repeat(n * 997) })))
const matchAll: Match = (line) => parseEntry(line)
const matchOne: Match = (line) => {
  const entry = parseEntry(line)
  return entry && entry.user === 'u-1' ? entry : entry && false
}

async function newest(files: LedgerFiles, count: number, match: Match) {
  const bad: string[] = []
  const { lines, next } = await readNewest(files, { count, match, onUnreadable: ({ number }) => bad.push(String(number)) })
  return { lines: lines.map(String), seq: next.seq, place: next.place, bad }
}

test('they are the last of all that match, whatever lies between, at the end of a file or across files', async () => {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    fc.constantFrom('\n', 'no json\n', '[1]\n', `${'y'.repeat(300_000)}\n`),
  )
  const ledger = fc.record({
    garbage: fc.array(piece, { minLength: 31, maxLength: 31 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 29 }), { maxLength: 3 }),
    packing: fc.constantFrom('plain', 'gz', 'zst'),
    rest: fc.constantFrom('', '{"seq":', 'z'.repeat(400_000)),
    count: fc.integer({ min: 0, max: 35 }),
    match: fc.constantFrom(matchAll, matchOne),
  })
  await fc.assert(
    fc.asyncProperty(ledger, async ({ garbage, cuts, packing, rest, count, match }) => {
      const lines = LINES.map((line, n) => line + (garbage[n] ?? ''))
      const directory = join(temporary(), 'audit')
      const files = writeSegments(directory, lines, [0, ...cuts.sort((a, b) => a - b)], packing)
      appendFileSync(segmentPath(directory, Math.max(0, ...cuts)), rest)
      const all: string[] = []
      for await (const line of readLedger(files)) if (line.complete && match(line)) all.push(line.bytes.toString())
      const found = await newest(files, count, match)
      assert.deepEqual(found.lines, count === 0 ? [] : all.slice(-count))
      if (garbage.every((one) => one === undefined)) assert.equal(found.seq, 30)
    }),
    { numRuns: 20 },
  )
})

test('no more is read than is asked for: what lies before is not even looked at', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, [`broken ${'x'.repeat(1 << 20)}\n`, ...LINES], [0])
  assert.deepEqual((await newest(files, 5, matchAll)).bad, [])
  const whole = await newest(files, 31, matchAll)
  assert.deepEqual([whole.bad, whole.lines.length], [['1'], 30])
})

test('following goes on at the byte behind them, and from its beginning in a file that took the place of that one', async () => {
  const path = join(temporary(), 'audit.jsonl')
  mkdirSync(`${path}.ledger/segments`, { recursive: true })
  writeFileSync(path, LINES.slice(0, 10).join(''))
  const files = findLedger(path, '/')
  const { seq, place } = await newest(files, 1, matchAll)
  assert.equal(place?.offset, Buffer.byteLength(LINES.slice(0, 10).join('')))
  for (const wrong of [undefined, { ...place!, ino: place!.ino + 1n }, place]) {
    const stop = new AbortController()
    const following = followLedger(files, seq, stop.signal, wrong)
    const next = following.next()
    if (wrong === undefined) appendFileSync(path, LINES[10]!)
    assert.equal(`${(await next).value}\n`, LINES[10])
    stop.abort()
    await following.return(undefined)
  }
})

test('a ledger without a whole line has none, and begins at 0', async () => {
  const directory = join(temporary(), 'audit')
  const files = writeSegments(directory, ['{"seq":'], [0])
  assert.deepEqual(await newest(files, 5, matchAll), { lines: [], seq: 0, place: undefined, bad: [] })
})
