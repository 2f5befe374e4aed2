/** What callers see when the appender's thread ends under them. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { openWorkerPort, type WorkerPort } from '../src/port/worker.ts'
import { createRecorder } from '../src/recorder/recorder.ts'
import { startFakeThread } from './support/fake-port.ts'
import { sample } from './support/submissions.ts'
import { temporaryDirectory } from './support/temporary.ts'

async function openKillable(): Promise<{ port: WorkerPort; worker: Worker }> {
  let worker: Worker | undefined
  const port = await openWorkerPort({
    start: (control) => {
      worker = startFakeThread(temporaryDirectory(), control)
      return worker
    },
  })
  return { port, worker: worker! }
}

const codesOf = (answers: readonly unknown[]) => new Set(answers.map((answer) => (SwornError.is(answer) ? answer.code : 'ack')))

test('events under way when the appender thread is killed are answered unknown, later ones refused as never handed over', async () => {
  const { port, worker } = await openKillable()
  await port.submit([sample(1)])
  const underWay = Array.from({ length: 200 }, (_, n) => port.submit([sample(n, 'batch', { text: 'x'.repeat(50_000) })]))
  const flush = port.flush()
  const [answers, flushed] = await Promise.all([Promise.all(underWay), flush.catch((error: unknown) => error), worker.terminate()])
  assert.ok([...codesOf(answers.flat())].every((code) => code === 'APPEND_UNKNOWN' || code === 'ack'))
  assert.ok(answers.flat().some((answer) => SwornError.is(answer, 'APPEND_UNKNOWN')))
  assert.ok(SwornError.is(flushed, 'APPEND_UNKNOWN'))
  assert.deepEqual(codesOf(await port.submit([sample(2), sample(3)])), new Set(['RECORDER_UNAVAILABLE']))
  await assert.rejects(port.reserve({ key: 'k', amount: 1, limit: 1, perMs: 1 }), (e) => SwornError.is(e, 'RECORDER_UNAVAILABLE'))
  assert.equal(port.flushSync(10_000), false)
  await assert.rejects(port.close(), (e) => SwornError.is(e, 'RECORDER_UNAVAILABLE'))
})

test('record() rejects and does not hang when the appender thread is gone, and close() ends', async () => {
  const { port, worker } = await openKillable()
  const recorder = createRecorder({ port })
  await recorder.record({ event_type: 'data_access' })
  await worker.terminate()
  await assert.rejects(recorder.record({ event_type: 'data_access' }), (e) => SwornError.is(e, 'RECORDER_UNAVAILABLE'))
  assert.deepEqual([recorder.stats().failed, recorder.stats().outstanding], [1, 0])
  await assert.rejects(recorder.close(), (e) => SwornError.is(e, 'RECORDER_UNAVAILABLE'))
})
