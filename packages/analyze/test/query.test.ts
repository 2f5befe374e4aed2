/** An index answers what reading every line answers: over any ledger, however it is cut and packed, and any filter. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { KIND_MEMBERS, WHO_MEMBERS } from '../src/columns.ts'
import { openIndexDatabase } from '../src/index/database.ts'
import { feedIndex } from '../src/index/feed.ts'
import { createPredicate, type Filter } from '../src/query/filter.ts'
import { GROUPS } from '../src/query/groups.ts'
import { createIndexSource } from '../src/query/index-source.ts'
import { type Order, SORTS } from '../src/query/order.ts'
import { createScan } from '../src/query/scan.ts'
import type { Source } from '../src/query/source.ts'
import { filterOf } from './support/filters.ts'
import { anyEvent, linesOf, type Packing, segmentPath, temporary, writeSegments } from './support/ledgers.ts'

const slow = process.env.SWORN_TESTS === 'full' ? 20 : process.env.SWORN_TESTS === 'ci' ? 3 : 1
const runs = { numRuns: 40 * slow, interruptAfterTimeLimit: slow * 60_000, markInterruptAsFailure: true } // the bound is for shrinking
if (slow === 1) console.error('note: SWORN_TESTS=ci and full ask more random ledgers and filters')

const question = fc.array(anyEvent, { minLength: 1, maxLength: 40 }).chain((events) =>
  fc.record({
    events: fc.constant(events),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: events.length }), { maxLength: 3 }),
    packing: fc.constantFrom<Packing>('plain', 'gz', 'zst'),
    step: fc.constantFrom(1, 30_000, 32_768), // several runs and blocks of the index, and their edges
    filter: filterOf(events),
    order: fc.record({ sort: fc.constantFrom(...SORTS), descending: fc.boolean() }),
    limit: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    groups: fc.uniqueArray(fc.constantFrom(...GROUPS), { maxLength: 3 }),
  }),
)

const found = async (source: Source, filter: Filter, order: Order, limit?: number) =>
  (await Array.fromAsync(source.find({ filter, order, limit }))).map(({ seq, line }) => ({ seq, line: line.toString() }))

/** Each looked at before the next one is asked for, as the question promises. */
async function passed(source: Source, filter: Filter, order: Order, limit?: number): ReturnType<typeof found> {
  const all: Awaited<ReturnType<typeof found>> = []
  for await (const { seq, line, entry } of source.find({ filter, order, limit, passing: true })) {
    all.push({ seq, line: line.toString() })
    assert.equal(entry().seq, seq)
  }
  return all
}

test('the index, a scan and every line by itself find the same entries, in the same order, in the same groups', async () => {
  const base = temporary()
  let run = 0
  await fc.assert(
    fc.asyncProperty(question, async ({ events, cuts, packing, step, filter, order, limit, groups }) => {
      const directory = join(base, String(run++))
      const lines = linesOf(events, step)
      const starts = [0, ...cuts.filter((cut) => cut < lines.length).sort((a, b) => a - b)]
      const files = writeSegments(directory, lines, starts, packing, step)
      const index = await openIndexDatabase(directory)
      try {
        await feedIndex(index, files)
        const [indexed, scanned] = [createIndexSource(index.db, files), createScan(files)]
        const one = await found(indexed, filter, order, limit)
        for (const same of [
          found(scanned, filter, order, limit),
          passed(indexed, filter, order, limit),
          passed(scanned, filter, order, limit),
        ])
          assert.deepEqual(await same, one)
        const holds = createPredicate(filter)
        const brute = lines.flatMap((line, n) => (holds(JSON.parse(line)) ? [{ seq: n * step, line: line.slice(0, -1) }] : []))
        assert.deepEqual(await found(indexed, filter, { sort: 'seq', descending: false }), brute)
        assert.deepEqual(await indexed.count(filter, groups), await scanned.count(filter, groups))
      } finally {
        index.close()
      }
    }),
    runs,
  )
})

test('pages put together are the whole, whatever they are sorted by', async () => {
  const base = temporary()
  let run = 0
  await fc.assert(
    fc.asyncProperty(question, fc.integer({ min: 1, max: 5 }), async ({ events, step, filter, order }, size) => {
      const directory = join(base, String(run++))
      const files = writeSegments(directory, linesOf(events, step), [0])
      const index = await openIndexDatabase(directory)
      try {
        await feedIndex(index, files)
        for (const source of [createIndexSource(index.db, files), createScan(files)]) {
          const paged: number[] = []
          for (let after: Order['after']; ; ) {
            const page = await Array.fromAsync(source.find({ filter, order: { ...order, after }, limit: size }))
            paged.push(...page.map(({ seq }) => seq))
            if (page.length < size) break
            after = page.at(-1)
          }
          assert.deepEqual(
            paged,
            (await found(source, filter, order)).map(({ seq }) => seq),
          )
        }
      } finally {
        index.close()
      }
    }),
    runs,
  )
})

test('a scan on threads sees what one without does: matches, counts, lines that are no entries, whichever range they lie in', async () => {
  const directory = join(temporary(), 'audit')
  const events = Array.from({ length: 6000 }, (_, n) => ({ user: n % 3 ? 'alice' : 'bob', tool: `t-${n % 5}`, note: 'x'.repeat(2 * n) }))
  const lines = linesOf(events).map((line, n) => (n % 1999 === 7 ? 'no entry\n' : n === 4000 ? `${' '.repeat(3 << 20)}\n` : line))
  const files = writeSegments(directory, lines, [0, 5500, 5990], 'plain')
  appendFileSync(segmentPath(directory, 5990), lines[0]!.slice(0, 30)) // in progress
  const answersOf = async (threads: 1 | 2, filter: Filter, limit?: number) => {
    const bad: string[] = []
    const source = createScan(files, { threads, onUnreadable: ({ file, number }) => bad.push(`${basename(file)}:${number}`) })
    const matches = await found(source, filter, { sort: 'seq', descending: false }, limit)
    if (limit !== undefined) return matches // what lies behind them may have been read
    return { bad: [...bad], matches, counts: await source.count(filter, ['user', 'tool']) }
  }
  const asked: [Filter, number?][] = [[{}], [{ user: ['bob'] }], [{ tool: ['t-3'], where: ({ user }) => user === 'bob' }], [{}, 3]]
  for (const [filter, limit] of asked) assert.deepEqual(await answersOf(2, filter, limit), await answersOf(1, filter, limit))
})

test('every member can be grouped by', () => {
  assert.deepEqual([...GROUPS].sort(), [...KIND_MEMBERS, ...WHO_MEMBERS, 'session_id', 'hour', 'day'].sort())
})
