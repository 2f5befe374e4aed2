import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeField, encodeField } from '../src/http/headers.ts'
import { createEventReader, formatEvent, oneLine, type SseEvent } from '../src/http/sse.ts'

function readAll(bytes: Buffer, cuts: readonly number[], maxBytes?: number): { events: SseEvent[]; lost: number } {
  const events: SseEvent[] = []
  let lost = 0
  const reader = createEventReader(
    (event) => events.push(event),
    () => lost++,
    maxBytes,
  )
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b)
  for (const [n, from] of [0, ...at].entries()) reader.push(bytes.subarray(from, at[n] ?? bytes.length))
  return { events, lost }
}

const line = fc.stringMatching(/^[^\r\n\0]*$/)
const event = fc.record({ id: line, event: line, data: line }, { noNullPrototype: true })

test('events come out as they were written, however the bytes are cut, and their bytes make up the stream', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat(), { maxLength: 8 }),
      (sent, end, cuts) => {
        const text = sent.map(({ id, event, data }) => [`id: ${id}`, `event: ${event}`, `data: ${data}`, '', ''].join(end)).join('')
        const { events, lost } = readAll(Buffer.from(text), cuts)
        assert.equal(lost, 0)
        assert.deepEqual(
          events.map((e) => ({ id: e.id, event: e.event, data: e.data?.toString('utf8') ?? '' })),
          sent,
        )
        assert.ok(events.every((e) => e.passable === 'as-is'))
        assert.equal(Buffer.concat(events.map((e) => e.raw)).toString('utf8'), text)
      },
    ),
  )
})

test('an event written anew is read as itself', () => {
  fc.assert(
    fc.property(event, ({ data, ...rest }) => {
      const { events } = readAll(formatEvent(rest, Buffer.from(data)), [])
      assert.deepEqual([events[0]?.id, events[0]?.event, events[0]?.data?.toString('utf8') ?? ''], [rest.id, rest.event, data])
    }),
  )
})

test('any bytes are read without an exception, and a lone carriage return is never passed on', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(':', 'data', 'id', ' ', '\r', '\n', '\r\n', 'x', '\ufeff', '\0'), { maxLength: 60 }), (parts) => {
      for (const { raw, passable } of readAll(Buffer.from(parts.join('')), []).events)
        if (/\r(?!\n)/.test(raw.toString('utf8'))) assert.equal(passable, 'no')
    }),
  )
})

test('an event larger than a message may be is lost once, and nothing behind it is read', () => {
  const { events, lost } = readAll(Buffer.from(`data: 1\n\ndata: ${'x'.repeat(200)}\n\ndata: 2\n\n`), [50, 90], 100)
  assert.deepEqual([events.length, lost], [1, 1])
})

test('JSON on several lines becomes one line of the same meaning', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('\n', '\r\n', '\t'), (json, space) => {
      const spread = JSON.stringify(JSON.parse(json), null, 2).replaceAll('\n', space)
      const line = oneLine(Buffer.from(spread)).toString('utf8')
      assert.doesNotMatch(line, /[\r\n]/)
      assert.deepEqual(JSON.parse(line), JSON.parse(json))
    }),
  )
})

test('a field value survives its envelope', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (value) => assert.equal(decodeField(encodeField(value)), value)))
})
