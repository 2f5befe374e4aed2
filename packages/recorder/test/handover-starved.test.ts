/** On a machine that is busy a thread may not run for seconds: who is greeted late is not told that nobody is there. @module */
import assert from 'node:assert/strict'
import { createServer, Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { meet } from '../src/handover/contact.ts'
import { establish } from '../src/handover/establish.ts'
import { createFrameReader, type FrameBody, formatFrame } from '../src/handover/frames.ts'
import { createPermits } from '../src/handover/permit.ts'
import { findPlaces, nodePlatform } from '../src/handover/platform.ts'
import { serveSession } from '../src/handover/session.ts'
import { PATIENCE } from '../src/handover/setup.ts'
import { openFakeLedger } from './support/fake-ledger.ts'
import { temporaryDirectory } from './support/temporary.ts'

const GREETING = { versions: [1], sworn: '0', nonce: 'n', pid: 1, logId: '' }
const LONG_MS = 60_000

/** Another thread that runs `code` with `net`, `address` and `reach(step)`. */
function startOther(code: string, address: string) {
  const steps = new Int32Array(new SharedArrayBuffer(4))
  const reach = 'const reach = (step) => { Atomics.store(steps, 0, step); Atomics.notify(steps, 0) }'
  const source = `const net = require('node:net'); const { steps, address } = require('node:worker_threads').workerData; ${reach}; ${code}`
  const worker = new Worker(source, { eval: true, workerData: { steps, address } })
  return {
    worker,
    /** Stands still, event loop and all, until the other thread has reached `step`. */
    standStillUntil(step: number): void {
      if (Atomics.load(steps, 0) < step) Atomics.wait(steps, 0, step - 1, LONG_MS)
      assert.equal(Atomics.load(steps, 0), step, 'the other thread did not come so far')
    },
  }
}

test('a greeting that came while the process that waits for it did not run is heard', async () => {
  const address = join(temporaryDirectory(), 's')
  const greet = `socket.write(Buffer.from('${formatFrame({ kind: 'greeting', ...GREETING }).toString('hex')}', 'hex'), () => reach(2))`
  const { worker, standStillUntil } = startOther(`net.createServer((socket) => ${greet}).listen(address, () => reach(1))`, address)
  standStillUntil(1)
  const contact = meet(address, 1)
  standStillUntil(2)
  const met = await contact
  assert.equal(met.kind, 'met')
  if (met.kind === 'met') met.line.socket.destroy()
  await worker.terminate()
})

test('a hello that came while the recorder did not run is answered', async () => {
  const address = join(temporaryDirectory(), 's')
  const opened = Promise.reject(new SwornError('LEDGER_CORRUPT', 'expected'))
  opened.catch(() => undefined) // nobody listens before the hello
  const client = new Socket()
  const reader = createFrameReader()
  const frames: FrameBody[] = []
  const server = createServer((socket) => {
    serveSession(socket, { greeting: () => GREETING, opened }, { limits: { helloMs: 1, frameMs: LONG_MS } })
    client.write(formatFrame({ kind: 'hello', version: 1, producer: 'p' }))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  })
  await new Promise<void>((resolve) => server.listen(address, resolve))
  client.connect({ path: address }).on('data', (chunk) => void frames.push(...reader.push(chunk)))
  await new Promise((resolve) => client.once('close', resolve))
  server.close()
  assert.deepEqual(
    frames.map(({ kind }) => kind),
    ['greeting', 'refused'],
  )
})

test('who comes while a ledger is opened is greeted before the recorder does anything else', async () => {
  const directory = temporaryDirectory()
  const platform = nodePlatform()
  const places = findPlaces(directory, platform)
  const client = `net.connect({ path: address }, () => reach(1)).once('data', () => reach(2))`
  let other: ReturnType<typeof startOther> | undefined
  const openLedger = () => {
    other = startOther(client, places.dataAddress)
    other.standStillUntil(1)
    return openFakeLedger(directory)
  }
  const permits = createPermits(directory)
  const setup = { places, platform, openLedger, permits, producerId: 'p', swornVersion: '0', syncDelayMs: 5, patience: PATIENCE }
  const role = await establish(setup, undefined)
  other!.standStillUntil(2)
  await other!.worker.terminate()
  await role.close()
})
