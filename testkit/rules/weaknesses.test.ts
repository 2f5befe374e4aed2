/** docs/weaknesses.md has every weakness of the founding documents once, with a test that exists or the part that is missing. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { titlesOf } from '../src/titles.ts'

const page = readFileSync('docs/weaknesses.md', 'utf8')
const rows = page.split('\n').flatMap((line) => {
  const cells = /^\| (?<id>[A-Z]+\d+) \| (?<weakness>[^|]+) \| (?<answer>[^|]+) \| (?<shown>.+) \|$/.exec(line)?.groups
  return cells ? [{ id: cells.id!, answer: cells.answer!, shown: cells.shown! }] : []
})
/** How many each document has. */
const COUNTS = { AW: 25, GW: 16, EW: 12, PW: 13 }
const PARTS = ['dialects', 'query', 'index', 'alerts', 'dashboard', 'reports', 'evidence', 'delivery', 'adapters of SDKs']

test('every weakness has one row', () => {
  const expected = Object.entries(COUNTS).flatMap(([prefix, count]) => Array.from({ length: count }, (_, n) => `${prefix}${n + 1}`))
  assert.deepEqual(
    rows.map(({ id }) => id),
    expected,
  )
  assert.equal(page.match(/^\| [A-Z]{2}\d/gm)?.length, rows.length)
})

test('every row names tests that exist, or the part that is not built yet', () => {
  for (const { id, answer, shown } of rows) {
    const part = /^not built yet: (.+)$/.exec(shown)?.[1]
    if (part !== undefined) {
      assert.ok(PARTS.includes(part), `${id}: ${part}`)
      continue
    }
    assert.notEqual(answer, '–', id)
    for (const each of shown.split('<br>')) {
      const [, file, title] = /^\[[^\]]+\]\(([^)]+)\): (.+)$/.exec(each) ?? []
      assert.ok(file && title && titlesOf(join('docs', file)).includes(title), `${id}: ${each}`)
    }
  }
})
