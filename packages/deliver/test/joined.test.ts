/** Bodies as one: the same bytes, whether they lie behind each other or apart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Item } from '../src/sink.ts'
import { joinBodies, joinInPlace } from '../src/sinks/joined.ts'

const itemOf = (bytes: Buffer): Item => ({ seq: 0, key: '', entryHash: '', event: { event_type: 'x' }, body: '', line: '', bytes })
const around = [{ between: '\n' }, { between: ',' }, { between: '\n', last: '\n' }, { first: '[', between: ',', last: ']' }]

test('what is joined is each body with what is between them, from one memory or several, with some left out', () => {
  const bodies = fc.array(fc.record({ text: fc.string({ maxLength: 8 }), isApart: fc.boolean(), isLeft: fc.boolean() }), { maxLength: 8 })
  fc.assert(
    fc.property(bodies, fc.constantFrom(...around), (parts, joining) => {
      const chunk = Buffer.from(`${parts.map(({ text }) => text).join('\n')}\n`)
      let at = 0
      const items = parts.flatMap(({ text, isApart, isLeft }) => {
        const lying = chunk.subarray(at, at + Buffer.byteLength(text))
        at += lying.length + 1
        return isLeft ? [] : [itemOf(isApart ? Buffer.from(lying) : lying)]
      })
      const { first = '', between, last = '' }: { first?: string; between: string; last?: string } = joining
      const expected = first + items.map(({ bytes }) => bytes!.toString()).join(between) + last
      assert.equal(joinBodies(items, joining).toString(), expected)
      assert.equal(Buffer.concat(joinInPlace(items, joining)).toString(), expected)
      assert.equal(Buffer.concat(joinInPlace(items, joining)).toString(), expected) // sent again
    }),
  )
})

test('lines of one read are not copied', () => {
  const chunk = Buffer.from('{"a":1}\n{"b":2}\n{"c":3}\n')
  const items = [chunk.subarray(0, 7), chunk.subarray(8, 15), chunk.subarray(16, 23)].map(itemOf)
  const joined = joinBodies(items.slice(1), { between: '\n' })
  assert.deepEqual([joined.toString(), joined.buffer, joined.byteOffset], ['{"b":2}\n{"c":3}', chunk.buffer, chunk.byteOffset + 8])
})

test('in place, bodies of several reads are the memory that they were read into; what a batch leaves out stays as it was', () => {
  const chunks = Array.from({ length: 2 }, () => Buffer.alloc(320, '{"a":1}\n'))
  const items = chunks.flatMap((chunk) => Array.from({ length: 40 }, (_, n) => itemOf(chunk.subarray(8 * n, 8 * n + 7))))
  const pieces = joinInPlace(items.slice(2, -2), { first: '[', between: ',', last: ']' })
  assert.deepEqual(JSON.parse(Buffer.concat(pieces).toString()), Array(76).fill({ a: 1 }))
  assert.deepEqual(
    pieces.map(({ length }) => length),
    [1, 38 * 8 - 1, 1, 38 * 8 - 1, 1],
  )
  assert.deepEqual(
    [pieces[1]!.buffer, pieces[3]!.buffer],
    chunks.map(({ buffer }) => buffer),
  )
  assert.equal(chunks[0]!.toString('latin1', 0, 16), '{"a":1}\n{"a":1}\n')
})
