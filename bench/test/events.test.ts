/** The generated events are what the benches say they are. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentEvents, SECRET_LITERALS } from '../../testkit/src/events.ts'
import { sequentialScan } from '../candidates/sequential-patterns.ts'
import { quantile } from '../harness/measure.ts'

const texts = agentEvents(1, 8000).map((event) => JSON.stringify(event))
const share = (holds: (text: string) => boolean): number => texts.filter(holds).length / texts.length

test('one seed gives one sequence of events', () => {
  assert.deepEqual(agentEvents(7, 5), agentEvents(7, 5))
  assert.notDeepEqual(agentEvents(7, 5), agentEvents(8, 5))
})

test('events have the stated sizes and kinds', () => {
  const bytes = texts.map((text) => Buffer.byteLength(text))
  const mean = bytes.reduce((sum, n) => sum + n, 0) / bytes.length
  assert.ok(Math.abs(mean - 1007) < 10, `mean ${mean}`)
  assert.ok(Math.abs(quantile(bytes, 0.05) - 745) < 40 && Math.abs(quantile(bytes, 0.95) - 1261) < 20)
  assert.ok(Math.max(...bytes) <= 1560)
  assert.ok(Math.abs(share((text) => text.includes('"tool_call_end"')) - 0.85) < 0.02)
})

test('a quarter of the events has the beginning of a secret and none has a secret', () => {
  assert.ok(Math.abs(share((text) => SECRET_LITERALS.some((literal) => text.includes(literal))) - 0.26) < 0.02)
  assert.equal(
    texts.reduce((found, text) => found + sequentialScan(text), 0),
    0,
  )
})
