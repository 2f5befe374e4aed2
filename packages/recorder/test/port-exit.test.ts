/** How processes with a port end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import { startChild } from './support/child.ts'
import { openRealPort } from './support/real-port.ts'
import { readLedger, readStored } from './support/stored.ts'
import { temporaryLedger } from './support/temporary.ts'

const ended = (child: ReturnType<typeof startChild>) => new Promise((resolve) => child.process.once('close', resolve))

test('process.exit right after submitting loses nothing, without close', async () => {
  const path = temporaryLedger()
  assert.equal(await ended(startChild(path, 'exit', 500)), 0)
  assert.equal((await readStored(path)).length, 500)
})

test('process.exit right after submitting loses nothing when the ledger lies in the main thread either', { skip: later }, async () => {
  const path = temporaryLedger()
  assert.equal(await ended(startChild(path, 'exit-here', 500)), 0)
  assert.equal((await readStored(path)).length, 500)
})

test('process.exit in the turn of record() loses nothing either', async () => {
  const path = temporaryLedger()
  assert.equal(await ended(startChild(path, 'record-exit', 500)), 0)
  assert.equal((await readStored(path)).length, 500)
})

test('process.exit in a client loses nothing either', { skip: later }, async () => {
  const path = temporaryLedger()
  const holder = await openRealPort(path)
  assert.equal(await ended(startChild(path, 'exit', 500)), 0)
  await holder.close()
  assert.equal((await readStored(path)).length, 500)
})

test('a port that has nothing to do does not keep a finished program alive', { timeout: 120_000 }, async () => {
  const path = temporaryLedger()
  assert.equal(await ended(startChild(path, 'finish')), 0)
  assert.equal((await readStored(path)).length, 1)
})

test('after SIGKILL every acknowledged event is in the file', async () => {
  const path = temporaryLedger()
  const child = startChild(path, 'write', 4)
  await child.when(() => child.facts.length > 50)
  child.process.kill('SIGKILL')
  await ended(child)
  const stored = await readLedger(path)
  for (const fact of child.facts.filter((f) => f.seq !== undefined)) assert.equal(stored[fact.seq!]?.entryHash, fact.entryHash)
})

test('closeSync closes where nothing can be awaited', async () => {
  const path = temporaryLedger()
  const port = await openRealPort(path)
  assert.equal(port.closeSync(5_000), true)
  const next = await openRealPort(path)
  await next.close()
})
