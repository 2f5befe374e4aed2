/** What crosses threads arrives as it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { packAnswers, unpackAnswers } from '../src/port/packed-acks.ts'
import { labelBatch, packBatch, releaseBatch, unpackBatch } from '../src/port/packed-batch.ts'
import { itemOf } from '../src/port/packed-submission.ts'
import { createRingReader, createRingWriter, createSharedMemory, type Region } from '../src/port/ring.ts'
import type { Submission } from '../src/port/types.ts'
import { createCase, item, outcome } from './support/ledger-case.ts'

const submission: fc.Arbitrary<Submission> = fc.record(
  {
    json: fc.string({ unit: 'binary' }),
    eventId: fc.string(),
    eventType: fc.string(),
    level: fc.constantFrom('sync' as const, 'batch' as const, 'async' as const),
    sessionId: fc.string(),
    vault: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['json', 'eventId', 'eventType', 'level'], noNullPrototype: true },
)

const OPTIONS = { seed: 20_260_101, numRuns: 200 }

test('a packed batch unpacks to itself', () => {
  const target = Buffer.alloc(1 << 20)
  fc.assert(
    fc.property(fc.array(submission), fc.nat(64), (batch, place) => {
      const labelled = labelBatch(batch)
      const used = packBatch(labelled, target, place * 4)
      assert.ok(used <= labelled.mostBytes + 3 && used % 4 === 0)
      const unpacked = unpackBatch(target, place * 4)
      target.fill(0, 0, place * 4 + used)
      assert.deepEqual(
        unpacked.map((one) => one.toJSON()),
        batch,
      )
    }),
    OPTIONS,
  )
})

test('an event whose payload was freed is refused by the ledger, which goes on', () => {
  const crossed = Buffer.alloc(4096)
  packBatch(labelBatch([item(1), item(2)]), crossed, 0)
  const batch = unpackBatch(crossed, 0)
  const late = batch.map((one) => itemOf(one, 'p1'))
  releaseBatch(batch)
  const answers = createCase()
    .open()
    .append([...late, item(3)])
  assert.deepEqual(answers.map(outcome), ['APPEND_REFUSED', 'APPEND_REFUSED', 'ack'])
})

test('packed answers unpack to themselves', () => {
  const ack = fc.record(
    { logId: fc.constant('AAAA'), seq: fc.maxSafeNat(), entryHash: fc.stringMatching(/^[0-9a-f]{64}$/), durable: fc.boolean() },
    { noNullPrototype: true },
  )
  const refusal = fc.constantFrom(new SwornError('APPEND_REFUSED', 'no', '/x'), new SwornError('EVENT_ID_CONFLICT', 'used', 'seq=1'))
  fc.assert(
    fc.property(fc.array(fc.oneof(ack, refusal)), (answers) => {
      const plain = (all: readonly object[]) => all.map((one) => (SwornError.is(one) ? `${one.code} ${one.message}` : one))
      assert.deepEqual(plain(unpackAnswers(packAnswers(answers))), plain(answers))
    }),
    OPTIONS,
  )
})

test('the ring gives back what was written, in order, at every fill, and refuses what does not fit', () => {
  const size = fc.oneof(fc.nat(5000), fc.nat(2_000_000))
  fc.assert(
    fc.property(fc.array(fc.record({ size, free: fc.nat(3) }), { maxLength: 60 }), (steps) => {
      const memory = createSharedMemory()
      const [writer, reader] = [createRingWriter(memory), createRingReader(memory)]
      const held: { region: Region; mark: number; size: number }[] = []
      for (const [mark, { size, free }] of steps.entries()) {
        const region = writer.write(size + 1, (bytes, offset) => bytes.fill(mark, offset, offset + size + 1) && size + 1)
        if (region) held.push({ region, mark, size })
        else assert.ok(held.length > 0, 'an empty ring takes anything of up to half its size')
        for (const one of held.splice(0, free)) {
          const bytes = reader.bytes.subarray(one.region.offset, one.region.offset + one.size + 1)
          assert.ok(bytes.every((byte) => byte === one.mark))
          reader.free(one.region)
        }
      }
    }),
    { ...OPTIONS, numRuns: count({ fast: 15, ci: 60 }) },
  )
})
