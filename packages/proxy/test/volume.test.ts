import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { denyingGate } from './support/gates.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { call, openWire } from './support/wire.ts'

const CALLS = process.env.SWORN_TESTS === 'full' ? 200_000 : process.env.SWORN_TESTS === 'ci' ? 20_000 : 5_000
const IN_FLIGHT = 32
const WARM_UP = 2_000
/** What the heap may grow between the warm-up and the last call, whatever their number. */
const SLACK_BYTES = 4 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // the flag above puts it there

/** Heap in use after a full collection. */
function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

test(`${CALLS} calls with every twentieth denied or malformed leave the heap as it was`, async () => {
  const wire = openWire({ gate: denyingGate(['no']), recorder: createMemoryRecorder({ keep: false }) })
  let after = 0
  let sent = 0
  const sendOne = (id: number) => {
    sent++
    if (id % 40 === 0) wire.send('{]')
    wire.send(id % 20 === 0 ? call(id, 'no') : call(id, 'echo', { words: `w${id}` }))
  }
  for (let id = 1; id <= IN_FLIGHT; id++) sendOne(id)
  for (let done = 0; done < CALLS; ) {
    const answer = await wire.next()
    if (answer.id === null) continue
    done++
    if (done === Math.min(WARM_UP, CALLS / 2)) after = heapBytes()
    if (sent < CALLS) sendOne(sent + 1)
  }
  await turn()
  const grown = heapBytes() - after
  await wire.close()
  console.log(`heap after ${CALLS} calls: ${Math.round(grown / 1024)} KiB more than after the warm-up`)
  assert.ok(grown < SLACK_BYTES, `the heap grew by ${grown} bytes`)
})

test('a client that does not read is waited for, and nothing is lost', async () => {
  const wire = openWire()
  const words = 'x'.repeat(200_000)
  const answers = 60
  wire.stdout.pause()
  for (let id = 1; id <= answers; id++) wire.send(call(id, 'echo', { words }))
  await turn()
  wire.stdout.resume()
  for (let id = 1; id <= answers; id++) {
    const answer = await wire.next()
    assert.equal(answer.id, id)
    assert.ok(answer.raw.length > words.length)
  }
  await wire.close()
})

test('reports of progress pass as they are, in order, before the result', async () => {
  const wire = openWire()
  const report = (progress: number) =>
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":${progress}.0}}`
  const lines = [report(1), report(2), report(3), '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}']
  wire.send(call(1, 'raw', { line: lines.join('\n') }))
  for (const line of lines) assert.equal((await wire.next()).raw, line)
  await wire.close()
})
