/** What is shipped together, and what of an entry is looked at for that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { systemClock } from '../src/clock.ts'
import { createGatherer } from '../src/gather.ts'
import { createShape } from '../src/shape.ts'
import type { Line, Source } from '../src/source.ts'

const HASH = 'ab'.repeat(32)
const lineOf = (seq: number, text: string): Line => ({ seq, entryHash: HASH, bytes: Buffer.from(text) })
const entryOf = (seq: number, bytes = 0): Line =>
  lineOf(seq, JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', event_type: 'tool_call_end', note: 'x'.repeat(bytes), seq }))
const shapeOf = (options: { where?: string; dialect?: string } = {}) =>
  createShape({ origin: 'o', version: '0', records: 'all', ...options })

/** Gives these reads, then nothing; the last of them is behind nothing. */
function sourceOf(reads: Line[][], isBehind: boolean): Source {
  return {
    next: 0,
    get isBehind() {
      return isBehind && reads.length > 0
    },
    read: async () => reads.shift() ?? [],
    sync: async () => {},
    close: async () => {},
  }
}

const LIMITS = { items: 10, bytes: 1 << 20 }

function gathererOf(reads: Line[][], isBehind = false) {
  const clock = { ...systemClock, wait: async () => assert.fail('nothing was to be waited for') }
  const { signal } = new AbortController()
  return createGatherer({ source: sourceOf(reads, isBehind), shape: shapeOf(), limits: LIMITS, clock, lingerMs: 0, signal })
}

test('what is there already fills a batch, also where nobody waits for more', async () => {
  const read = (from: number) => Array.from({ length: 4 }, (_, n) => entryOf(from + n, 10_000))
  const gather = gathererOf([read(0), read(4), read(8)], true)
  const windows = [await gather(), await gather(), await gather()]
  assert.deepEqual(
    windows.map(({ items }) => items.map(({ seq }) => seq)),
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11], []],
  )
})

test('the present end of the ledger ends a batch where nobody waits for more', async () => {
  const gather = gathererOf([[entryOf(0)], [entryOf(1)]])
  assert.deepEqual([(await gather()).items.length, (await gather()).items.length], [1, 1])
})

test('a ledger that grows all the time is not read at each of its entries, and synced once a batch', async () => {
  let [now, reads, syncs] = [0, 0, 0]
  const clock = { ...systemClock, elapsed: () => now, wait: async (ms: number) => void (now += ms) }
  const source: Source = {
    next: 0,
    isBehind: false,
    read: async () => [entryOf(reads++)],
    sync: async () => void syncs++,
    close: async () => {},
  }
  const { signal } = new AbortController()
  const gather = createGatherer({ source, shape: shapeOf(), limits: LIMITS, clock, lingerMs: 200, signal })
  assert.deepEqual([(await gather()).items.length, reads, syncs, now], [5, 5, 1, 200])
})

test('a window says of each run without a step which entries it has, and their root', async () => {
  const { runs } = await gathererOf([[entryOf(3), entryOf(4), entryOf(9)]])()
  assert.deepEqual(
    runs.map(({ from, to }) => [from, to]),
    [
      [3, 5],
      [9, 10],
    ],
  )
  assert.notEqual(runs[0]!.root, runs[1]!.root)
})

test('an entry that goes as it stands goes byte by byte, whatever is in it', async () => {
  const line = lineOf(7, '{"timestamp":"2026-11-21T10:00:00.000Z","event_type":"x","note":"no end')
  const item = (await shapeOf()(line))!
  assert.deepEqual([item.bytes, item.body, item.line, item.key], [line.bytes, line.bytes.toString(), line.bytes.toString(), 'o/7'])
  assert.throws(
    () => item.event,
    (e) => SwornError.is(e, 'LINE_MALFORMED') && e.at === 'seq=7',
  )
})

test('an entry whose members are needed must be one', async () => {
  const line = lineOf(7, '{"timestamp":"2026-11-21T10:00:00.000Z","event_type":"x","note":"no end')
  const isMalformed = (e: unknown) => SwornError.is(e, 'LINE_MALFORMED') && e.at === 'seq=7'
  assert.throws(() => shapeOf({ where: 'tool == "x"' })(line), isMalformed)
  assert.throws(() => shapeOf({ dialect: 'ecs' })(line), isMalformed)
  assert.throws(() => shapeOf()(lineOf(7, '{"event_type":7}')), isMalformed)
})

test('items that are held side by side keep their own members', async () => {
  const shape = shapeOf()
  const items = [(await shape(entryOf(1)))!, (await shape(entryOf(2)))!]
  for (const round of [1, 2]) assert.deepEqual([round, ...items.map(({ event }) => event.seq)], [round, 1, 2])
})
