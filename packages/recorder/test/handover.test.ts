/** Several processes on one ledger: hand over, take over, and refuse where nobody can know. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { later } from '../../../testkit/src/suite.ts'
import { createFrameReader, formatFrame } from '../src/handover/frames.ts'
import { openPortHere } from '../src/handover/open-port-here.ts'
import type { Ack } from '../src/port/types.ts'
import { pause, startChild } from './support/child.ts'
import { openFakePort } from './support/fake-port.ts'
import { acksOf } from './support/port-contract.ts'
import { openRealPort } from './support/real-port.ts'
import { readStored } from './support/stored.ts'
import { sample } from './support/submissions.ts'
import { temporaryDirectory, temporaryLedger } from './support/temporary.ts'

/** For those who wait for a process that does not run: how long is all the same. */
const quick = { patience: { greetMs: 200, ackMs: 300, lazyAckMs: 300 } }

/** Records of the ledger's own may stand between them. */
function assertRising(acks: readonly Ack[]): void {
  for (const [n, ack] of acks.entries()) assert.ok(n === 0 || ack.seq > acks[n - 1]!.seq)
}

test('when the recorder closes, a client takes over and its port goes on', async () => {
  const path = temporaryLedger()
  const ports = [await openRealPort(path), await openRealPort(path), await openRealPort(path)]
  const all = []
  for (const port of ports) {
    all.push(...acksOf(await ports.at(-1)!.submit([sample(1)])))
    await port.close()
  }
  assertRising(all)
  assert.equal(existsSync(join(path, 'log.sock')), false)
  assert.equal(existsSync(join(path, 'log.lock')), false)
})

test('events that were on their way when the recorder was killed are sent again and appear once', async () => {
  const path = temporaryLedger()
  const holder = startChild(path, 'hold')
  await holder.when((fact) => fact.open !== undefined)
  const port = await openRealPort(path)
  const events = Array.from({ length: 200 }, (_, n) => sample(n, 'batch'))
  const answers = events.map((event) => port.submit([event]))
  await answers[0]
  holder.process.kill('SIGKILL')
  const acks = acksOf((await Promise.all(answers)).flat())
  await port.close()
  const stored = await readStored(path)
  assert.deepEqual(
    stored.map((entry) => entry.eventId),
    events.map((event) => event.eventId),
  )
  assertRising(acks)
})

test('a recorder that is stopped keeps the ledger: its clients get unknown, starters LEDGER_BUSY with its pid', async () => {
  const path = temporaryLedger()
  const holder = startChild(path, 'hold')
  await holder.when((fact) => fact.open !== undefined)
  const port = await openRealPort(path)
  const hasty = await openRealPort(path, { patience: { ackMs: 300 } })
  await pause(holder)
  const [answer] = await hasty.submit([sample(1)])
  assert.ok(SwornError.is(answer, 'APPEND_UNKNOWN'))
  assert.match(answer.message, new RegExp(String(holder.pid)))
  await assert.rejects(openRealPort(path, quick), (e) => SwornError.is(e, 'LEDGER_BUSY') && e.message.includes(String(holder.pid)))
  holder.process.kill('SIGCONT')
  assert.equal(acksOf(await port.submit([sample(2)])).length, 1)
  await Promise.all([port.close(), hasty.close()])
  assert.equal(await holder.finish(), 0)
})

test('a ledger under a path of 150 characters is shared through a hashed socket name', { skip: later }, async () => {
  const path = `${temporaryLedger()}${'x'.repeat(150)}`
  const first = await openRealPort(path)
  const second = await openRealPort(path)
  assert.equal(existsSync(join(path, 'log.sock')), false)
  assertRising(acksOf([...(await first.submit([sample(1)])), ...(await second.submit([sample(2)]))]))
  await second.close()
  await first.close()
})

test('the data socket is 0600', async () => {
  const path = temporaryLedger()
  const port = await openRealPort(path)
  assert.equal(statSync(join(path, 'log.sock')).mode & 0o777, 0o600)
  await port.close()
})

test('a recorder of another protocol version is LEDGER_BUSY that names both', async () => {
  const path = temporaryDirectory()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(formatFrame({ kind: 'greeting', versions: [77], sworn: '9.9.9', nonce: 'n', pid: 4242, logId: '' }))
  })
  await new Promise<void>((resolve) => server.listen(join(path, 'log.sock'), resolve))
  await assert.rejects(
    openFakePort(path),
    (e) => SwornError.is(e, 'LEDGER_BUSY') && /4242 .*77 \(sworn 9\.9\.9\), this is 2, 1 \(sworn 0\.1\.0\)/.test(e.message),
  )
  server.close()
})

test('a recorder of version 1 takes no step of an operator: LEDGER_BUSY, and nothing is sent', async () => {
  const path = temporaryDirectory()
  const heard: unknown[] = []
  const server = createServer((socket) => {
    const reader = createFrameReader()
    socket.on('error', () => undefined)
    socket.write(formatFrame({ kind: 'greeting', versions: [1], sworn: '0.0.1', nonce: 'n', pid: 4242, logId: 'l' }))
    socket.on('data', (chunk: Buffer) => {
      for (const { kind } of reader.push(chunk)) heard.push(kind)
      if (heard.length === 1) socket.write(formatFrame({ kind: 'welcome', logId: 'l', origin: 'o', path }))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(path, 'log.sock'), resolve))
  const door = await openPortHere({ path, home: `${path}.home`, version: '0.1.0', ...quick })
  await assert.rejects(door.operate({ kind: 'pack', form: 'gzip' }), (e) => SwornError.is(e, 'LEDGER_BUSY') && /4242/.test(e.message))
  assert.deepEqual(heard, ['hello'])
  await door.close()
  await new Promise((resolve) => server.close(resolve))
})

test('a recorder that hangs up before it greets is waited for; who comes takes its place when it is gone', async () => {
  const path = temporaryDirectory()
  let hungUp = 0
  const server = createServer((socket) => {
    socket.destroy()
    if (++hungUp === 3) server.close()
  })
  await new Promise<void>((resolve) => server.listen(join(path, 'log.sock'), resolve))
  const port = await openFakePort(path)
  assert.equal(hungUp, 3)
  assert.equal(acksOf(await port.submit([sample(1)])).length, 1)
  await port.close()
})

test('who hangs up on everybody holds the ledger: LEDGER_BUSY', async () => {
  const path = temporaryDirectory()
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(join(path, 'log.sock'), resolve))
  await assert.rejects(openFakePort(path, quick), (e) => SwornError.is(e, 'LEDGER_BUSY'))
  await new Promise((resolve) => server.close(resolve))
})

test('a socket file that nobody answers is a dead recorder', async () => {
  const path = temporaryDirectory()
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(join(path, 'log.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  assert.ok(existsSync(join(path, 'log.sock')))
  const port = await openFakePort(path)
  assert.equal(acksOf(await port.submit([sample(1)])).length, 1)
  await port.close()
})

test('a producer whose durable event is gone refuses to record on, and says where', async () => {
  const path = temporaryDirectory()
  const holder = startChild(path, 'fake-hold')
  await holder.when((fact) => fact.open !== undefined)
  const port = await openFakePort(path)
  acksOf(await port.submit([sample(1)]))
  const gone = new Promise((resolve) => holder.process.once('close', resolve))
  rmSync(join(path, 'fake.jsonl'))
  writeFileSync(join(path, 'fake.jsonl'), '')
  holder.process.kill('SIGKILL')
  await gone
  const [answer] = await port.submit([sample(2)])
  assert.ok(SwornError.is(answer))
  assert.ok(['APPEND_REFUSED', 'APPEND_UNKNOWN'].includes(answer.code))
  const [next] = await port.submit([sample(3)])
  assert.ok(SwornError.is(next, 'APPEND_REFUSED') && next.message.includes('ACKNOWLEDGED_LOST') && next.at === 'seq=0')
  await port.close()
})

test('a short-lived process starts a recorder and hands over to it', async () => {
  const path = temporaryLedger()
  const started: ReturnType<typeof startChild>[] = []
  const spawnRecorder = () => void started.push(startChild(path, 'hold'))
  const port = await openRealPort(path, { ephemeral: true, spawnRecorder, patience: { spawnMs: 60_000 } })
  assert.equal(acksOf(await port.submit([sample(1)])).length, 1)
  await port.close()
  assert.equal(started.length, 1)
  assert.ok(existsSync(join(path, 'log.sock')), 'the started recorder still holds the ledger')
  assert.equal(await started[0]!.finish(), 0)
})

test('a short-lived process whose recorder does not come opens the ledger itself', { skip: later }, async () => {
  const path = temporaryLedger()
  let asked = 0
  const port = await openRealPort(path, { ephemeral: true, spawnRecorder: () => void asked++, patience: { spawnMs: 100 } })
  assert.equal(acksOf(await port.submit([sample(1)])).length, 1)
  assert.equal(asked, 1)
  await port.close()
})

test('a recorder whose socket name was taken away steps down and comes back', { skip: later, timeout: 120_000 }, async () => {
  const path = temporaryLedger()
  const port = await openRealPort(path)
  rmSync(join(path, 'log.sock'))
  const other = await openRealPort(path)
  assertRising(acksOf([...(await port.submit([sample(1)])), ...(await other.submit([sample(2)]))]))
  await other.close()
  await port.close()
})

const gone: Record<string, (path: string) => void> = {
  'that was moved away': (path) => renameSync(path, `${path}.away`),
  'in whose place a file stands': (path) => {
    renameSync(path, `${path}.away`)
    writeFileSync(path, 'not a ledger')
  },
}
for (const [what, take] of Object.entries(gone)) {
  test(`a ledger ${what}: whoever waits is told at once and why, and recording goes on when it is back`, { timeout: 120_000 }, async () => {
    const path = temporaryLedger()
    const port = await openRealPort(path)
    assert.equal(acksOf(await port.submit([sample(1)])).length, 1)
    take(path)
    for (const n of [2, 3]) {
      const [answer] = await port.submit([sample(n)])
      assert.ok(SwornError.is(answer))
      assert.match(`${answer.code} ${answer.message}`, /^(APPEND_UNKNOWN|RECORDER_UNAVAILABLE) .*: IO_FAILED.* \(at /)
    }
    rmSync(path, { force: true })
    renameSync(`${path}.away`, path)
    const later = await port.submit([sample(4, 'batch')]) // no action waits for it: it is kept until somebody records
    assert.equal(acksOf(later).length, 1)
    await port.close()
  })
}

test('a directory that cannot be made is a clear error, not a hang', async () => {
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  await assert.rejects(openRealPort(join(file, 'ledger')), (e) => SwornError.is(e, 'IO_FAILED'))
})
