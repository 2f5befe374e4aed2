/** What waits for an answer keeps neither the caller's event nor its payload: a slow disk does not hold a burst twice. @module */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Worker } from 'node:worker_threads'
import { createLane } from '../src/port/lane.ts'
import { packAnswers } from '../src/port/packed-acks.ts'
import { createSharedMemory } from '../src/port/ring.ts'
import type { Ack, Port } from '../src/port/types.ts'
import { createRecorder } from '../src/recorder/recorder.ts'
import { memoryPort } from './support/memory-port.ts'
import { sample } from './support/submissions.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const ACK: Ack = { logId: 'AAAA', seq: 0, entryHash: 'ab'.repeat(32), durable: true }

/** How many of them are still there when everything that nothing holds was collected. */
async function kept(refs: readonly WeakRef<object>[]): Promise<number> {
  await turn() // what this turn looked at stays until it ends
  collect()
  return refs.filter((ref) => ref.deref() !== undefined).length
}

test('an event that waits for its answer is freed, and so is what was submitted of it', async () => {
  const answer = Promise.withResolvers<Ack[]>()
  const refs: WeakRef<object>[] = []
  const port: Port = {
    ...memoryPort(),
    submit(batch) {
      refs.push(new WeakRef(batch), ...batch.map((one) => new WeakRef(one)))
      return answer.promise
    },
  }
  const recorder = createRecorder({ port })
  const record = () => {
    const event = { event_type: 'tool_call_end', arguments: { text: 'x' } }
    refs.push(new WeakRef(event), new WeakRef(event.arguments))
    return recorder.record(event)
  }
  const answered = record()
  await turn()
  assert.equal(refs.length, 4)
  assert.equal(await kept(refs), 0)
  answer.resolve([ACK])
  assert.deepEqual(await answered, { seq: 0, entry_hash: ACK.entryHash, durable: true })
})

test('a batch in the ring is freed before the appender answers', async () => {
  const thread = Object.assign(new EventEmitter(), { postMessage() {}, ref() {}, unref() {} })
  const lane = createLane(thread as unknown as Worker, createSharedMemory(), undefined) // as much of a worker as a lane uses
  const refs: WeakRef<object>[] = []
  const submit = () => {
    const batch = [sample(1), sample(2)]
    refs.push(new WeakRef(batch), ...batch.map((one) => new WeakRef(one)))
    return lane.submit(batch)
  }
  const answered = submit()
  await turn()
  assert.equal(await kept(refs), 0)
  thread.emit('message', { kind: 'answers', answers: [{ id: 1, answers: packAnswers([ACK, ACK]) }] })
  assert.deepEqual(await answered, [ACK, ACK])
})
