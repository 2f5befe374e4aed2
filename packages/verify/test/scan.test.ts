/** The prefilter of reserved records misses none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isReservedAt } from '../src/scan.ts'

const PATTERN = '"event_type":"log.'

test('a reserved record is found wherever it stands in a line, and nowhere else', () => {
  for (let before = 0; before < 60; before++) {
    for (const filler of ['x', '"', 'g', '.', 'e']) {
      const bytes = Buffer.from(`${filler.repeat(before)}${PATTERN}${filler.repeat(7)}`)
      assert.equal(isReservedAt(bytes, 0, bytes.length), true, `${before} ${filler}`)
      assert.equal(isReservedAt(bytes, 0, before + PATTERN.length), true)
      assert.equal(isReservedAt(bytes, 0, before + PATTERN.length - 1), false)
      assert.equal(isReservedAt(bytes, before + 1, bytes.length), false)
    }
  }
})

test('it says what a plain search says', () => {
  const piece = fc.constantFrom(PATTERN, PATTERN.slice(0, -1), PATTERN.slice(1), '"event_type":"', 'log.', '"', 'g.', 'x', '{"a":1,')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      assert.equal(isReservedAt(bytes, 0, bytes.length), bytes.includes(PATTERN))
    }),
    { numRuns: 500 },
  )
})
