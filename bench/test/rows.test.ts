/** Every bench row still runs, and what it says are numbers. Nothing here depends on time. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Measurement, median, quantile } from '../harness/measure.ts'
import { page } from '../harness/report.ts'
import { rows } from '../rows/index.ts'

const isFinitePositive = (m: Measurement): boolean => [m.ours, m.rival, ...m.spread].every(Number.isFinite) && m.rival > 0

describe('bench rows run at their smallest counts', { concurrency: 2 }, () => {
  for (const row of rows) {
    test(`row ${row.row} measures ${row.job}`, async () => {
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
    [1, 2, 3, 4, 5, 6, 10, 11, 12, 17, 19, 20],
  )
})

test('a median is the middle figure or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(quantile([5, 1, 4, 2, 3], 0.99), 5)
})
