/** What callers see when the appender's thread ends under them. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { createSharedMemory } from '../src/port/ring.ts'
import { serveThread } from '../src/port/thread-host.ts'
import type { FromAppender } from '../src/port/thread-messages.ts'
import { openWorkerPort, type WorkerPort } from '../src/port/worker.ts'
import { createRecorder } from '../src/recorder/recorder.ts'
import { startFakeThread } from './support/fake-port.ts'
import { memoryPort } from './support/memory-port.ts'
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

test('answers go out before the loop goes on: what is due then would hold them up', async () => {
  const { port1, port2 } = new MessageChannel()
  const order: string[] = []
  const post = port2.postMessage.bind(port2)
  port2.postMessage = (message: FromAppender) => {
    if (message.kind === 'answers') order.push(`${message.answers.length} answers`)
    post(message)
  }
  const waiting: (() => void)[] = []
  const flush = () =>
    new Promise<void>((resolve) => {
      if (waiting.push(resolve) < 3) return
      setImmediate(() => {
        setImmediate(() => order.push('next turn'))
        for (const end of waiting) end()
      })
    })
  const info = { logId: 'AAAA', origin: 'test', path: 'memory' }
  await serveThread(port2, createSharedMemory(), async () => ({ ...memoryPort(), info, flush }))
  const answered = new Promise((resolve) => port1.on('message', (message: FromAppender) => message.kind === 'answers' && resolve(message)))
  for (const id of [1, 2, 3]) port1.postMessage({ kind: 'flush', id })
  await answered
  port1.close()
  assert.equal(order[0], '3 answers')
})

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

test('a bundle that took the recorder in and left the file of its thread behind is told what to do', async () => {
  const start = () => new Worker(new URL('./left-behind.js', import.meta.url))
  await assert.rejects(
    openWorkerPort({ start }),
    (e) => SwornError.is(e, 'RECORDER_UNAVAILABLE') && /a bundle leaves sworn and @sworn\/\* outside/.test(e.message),
  )
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
