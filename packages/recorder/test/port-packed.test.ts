/** What crosses threads arrives as it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBatch, unpackBatch } from '../src/port/packed-batch.ts'
import type { Submission } from '../src/port/types.ts'

const submission: fc.Arbitrary<Submission> = fc.record(
  {
    json: fc.string({ unit: 'binary' }),
    eventId: fc.string(),
    eventType: fc.string(),
    level: fc.constantFrom('sync' as const, 'batch' as const, 'async' as const),
    sessionId: fc.string(),
  },
  { requiredKeys: ['json', 'eventId', 'eventType', 'level'], noNullPrototype: true },
)

test('a packed batch unpacks to itself', () => {
  fc.assert(
    fc.property(fc.array(submission), (batch) => assert.deepEqual(unpackBatch(packBatch(batch)), batch)),
    { seed: 20_260_101, numRuns: 200 },
  )
})
