/** The same query model on PostgreSQL, where a collector keeps its entries: PGlite is PostgreSQL 18 in this process. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import fc from 'fast-check'
import type { Compilable, CompiledQuery } from 'kysely'
import { openIndexDatabase } from '../src/index/database.ts'
import { feedIndex } from '../src/index/feed.ts'
import { compileCount, compileFind } from '../src/query/compile.ts'
import { needsLine } from '../src/query/filter.ts'
import { formatGroup, GROUPS } from '../src/query/groups.ts'
import { createIndexSource } from '../src/query/index-source.ts'
import { SORTS } from '../src/query/order.ts'
import { sortCounts } from '../src/query/source.ts'
import { createCompiler, createStatements, type Tables } from '../src/query/tables.ts'
import { filterOf } from './support/filters.ts'
import { anyEvent, linesOf, temporary, writeSegments } from './support/ledgers.ts'

const runs = { numRuns: process.env.SWORN_TESTS === 'full' ? 400 : process.env.SWORN_TESTS === 'ci' ? 60 : 20 }
const compiler = createCompiler('postgres')
const TABLES = ['kind', 'who', 'session', 'entry', 'kind_count', 'who_count'] as const
let pg: PGlite
before(async () => {
  pg = await PGlite.create()
  for (const statement of createStatements(compiler, 'postgres')) await pg.exec(statement)
})
after(() => pg.close())

async function run(query: Compilable | CompiledQuery): Promise<Record<string, unknown>[]> {
  const { sql, parameters } = 'compile' in query ? query.compile() : query
  return (await pg.query<Record<string, unknown>>(sql, [...parameters])).rows
}

test('the statements for PostgreSQL find and count what those for SQLite do', async () => {
  const base = temporary()
  let count = 0
  const events = fc.array(anyEvent.map(withoutNul), { minLength: 1, maxLength: 30 })
  const question = events.chain((all) =>
    fc.record({
      all: fc.constant(all),
      step: fc.constantFrom(1, 30_000),
      filter: filterOf(all).filter((filter) => !needsLine(filter)),
      order: fc.record({ sort: fc.constantFrom(...SORTS), descending: fc.boolean() }),
      limit: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      groups: fc.uniqueArray(fc.constantFrom(...GROUPS), { maxLength: 3 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(question, async ({ all, step, filter, order, limit, groups }) => {
      const files = writeSegments(join(base, String(count++)), linesOf(all, step), [0])
      const index = await openIndexDatabase(files.directory!)
      try {
        await feedIndex(index, files)
        for (const table of TABLES) {
          await pg.exec(`TRUNCATE "${table}"`)
          const rows = index.db.prepare(`SELECT * FROM ${table}`).all() as unknown as Tables['entry'][] // of whichever table
          await run(compiler.insertInto(table as 'entry').values(rows))
        }
        const source = createIndexSource(index.db, files)
        const found = await Array.fromAsync(source.find({ filter, order, limit }))
        const rows = await run(compileFind(compiler, filter, order, limit))
        assert.deepEqual(
          rows.map(({ seq, value = seq }) => [Number(seq), Number(value)]),
          found.map(({ seq, value }) => [seq, value]),
        )
        const counts = (await run(compileCount(compiler, filter, groups))).map((row) => ({
          texts: groups.map((group) => formatGroup(group, row[group])),
          entries: Number(row.entries ?? 0),
        }))
        assert.deepEqual(sortCounts(counts), await source.count(filter, groups))
      } finally {
        index.close()
      }
    }),
    runs,
  )
})

test('the view of texts has every entry', async () => {
  const entries = Number((await run(compiler.selectFrom('entry').select((build) => build.fn.countAll().as('n'))))[0]?.n)
  assert.equal((await pg.query('SELECT * FROM entries')).rows.length, entries)
})

/** PostgreSQL has no text with NUL; a collector stores such an entry as bytes and escapes its columns. */
function withoutNul<T>(event: T): T {
  return JSON.parse(JSON.stringify(event).replaceAll('\\u0000', '0'))
}
