/** Every bench row still runs, and what it says are numbers. Nothing here depends on time. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isListening } from '../../testkit/src/services.ts'
import { later } from '../../testkit/src/suite.ts'
import { type Measurement, median, quantile } from '../harness/measure.ts'
import { page } from '../harness/report.ts'
import { rows } from '../rows/index.ts'

const isFinitePositive = (m: Measurement): boolean => [m.ours, m.rival, ...m.spread].every(Number.isFinite) && m.rival > 0

/** They start no process and fill no disk: these run in the fast suite. */
const CHEAP = [17, 19]

describe('bench rows run at their smallest counts', { concurrency: 2 }, () => {
  for (const row of rows) {
    test(`row ${row.row} measures ${row.job}`, { skip: !CHEAP.includes(row.row) && later }, async (t) => {
      if (row.needs && !(await isListening(row.needs.port)))
        return t.skip(`NO ${row.needs.name} on 127.0.0.1:${row.needs.port}: not measured`)
      const measurements = await row.run(true)
      assert.ok(measurements.length > 0)
      const wrong = measurements.filter((m) => !isFinitePositive(m))
      assert.deepEqual(wrong, [])
      assert.ok(page([{ row, measurements }], '2026-01-01').includes(`## Row ${row.row}`))
    })
  }
})

test('the rows are those of the table of targets that this repository measures', () => {
  assert.deepEqual(
    rows.map((row) => row.row),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20],
  )
})

test('a median is the middle figure or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(quantile([5, 1, 4, 2, 3], 0.99), 5)
})
