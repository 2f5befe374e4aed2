/** A duration is recorded to the microsecond, and does not send its event the careful way. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard, createRecorder } from '../src/index.ts'
import { createScanner } from '../src/redact/scanner.ts'
import { memoryPort } from './support/memory-port.ts'

test('a difference of clocks looks like the number of a card; what is recorded of it does not', async () => {
  const durationMs = 0.1300300000000334 // as performance.now() gave it
  assert.equal(createScanner([]).mayMatch(JSON.stringify({ duration_ms: durationMs })), true)
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const guard = createGuard({ recorder, source: { kind: 'sdk', name: 'test' } })
  const { ref } = await guard.begin({ kind: 'tool', name: 'look', ids: {} })
  await guard.end(ref, { status: 'ok', durationMs })
  await recorder.tool('look', async () => 'the sea')()
  await recorder.flush()
  const durations = port.events().flatMap(({ duration_ms }) => (duration_ms === undefined ? [] : [duration_ms]))
  assert.deepEqual([durations.length, durations[0]], [2, 0.13])
  for (const duration of durations) {
    assert.equal(createScanner([]).mayMatch(JSON.stringify({ duration_ms: duration })), false)
    assert.match(JSON.stringify(duration), /^\d+(\.\d{1,3})?$/)
  }
})
