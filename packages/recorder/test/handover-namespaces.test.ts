/** Two network namespaces on one directory: the lock name is free in both, the data socket decides. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { later } from '../../../testkit/src/suite.ts'
import { pause, startChild } from './support/child.ts'
import { readLedger, readStored } from './support/stored.ts'
import { temporaryLedger } from './support/temporary.ts'

const allowed = process.platform === 'linux' && spawnSync('unshare', ['-n', 'true']).status === 0
const skip = allowed ? false : 'unshare -n is not permitted here'
if (skip) console.error(`SKIPPED: network namespaces: ${skip}`)
const elsewhere = ['unshare', '-n']

test('a process in another network namespace hands over to the recorder it finds', { skip }, async () => {
  const path = temporaryLedger()
  const holder = startChild(path, 'hold')
  await holder.when((fact) => fact.open !== undefined)
  const seqs = []
  for (let n = 0; n < 2; n++) {
    const other = startChild(path, 'once', 1, elsewhere)
    seqs.push((await other.when((fact) => fact.seq !== undefined))?.seq)
    await other.finish()
  }
  assert.ok(seqs[0]! < seqs[1]!)
  assert.equal(holder.process.exitCode, null)
  assert.equal(await holder.finish(), 0)
})

test('a stopped recorder in another network namespace is not taken over although its lock name is free here', {
  skip: skip || later,
  timeout: 120_000,
}, async () => {
  const path = temporaryLedger()
  const holder = startChild(path, 'hold')
  await holder.when((fact) => fact.open !== undefined)
  await pause(holder)
  const other = startChild(path, 'once-quick', 1, elsewhere)
  const fact = await other.when((f) => f.failed !== undefined || f.seq !== undefined)
  assert.equal(fact?.failed, 'LEDGER_BUSY')
  assert.match(fact.message ?? '', new RegExp(String(holder.pid)))
  holder.process.kill('SIGCONT')
  assert.equal(await holder.finish(), 0)
})

test('two namespaces that start together end with one recorder', { skip: skip || later, timeout: 120_000 }, async () => {
  const path = temporaryLedger()
  const both = [startChild(path, 'hold'), startChild(path, 'hold', 1, elsewhere)]
  await Promise.all(both.map((child) => child.when((fact) => fact.open !== undefined || fact.failed !== undefined)))
  const third = startChild(path, 'once')
  assert.ok(await third.when((fact) => fact.seq !== undefined))
  await third.finish()
  for (const child of both) assert.equal(await child.finish(), 0)
  assert.equal((await readStored(path)).length, 1)
})

test('a recorder that was paused while another took its place writes nothing when it wakes, and its events go to the other', {
  skip: skip || later,
  timeout: 120_000,
}, async () => {
  const path = temporaryLedger()
  const old = startChild(path, 'write', 2)
  await old.when((fact) => fact.seq !== undefined)
  await pause(old)
  rmSync(join(path, 'log.sock')) // as if its container were gone: only now may another take over
  const next = startChild(path, 'write', 2, elsewhere)
  assert.ok(await next.when((fact) => fact.seq !== undefined))
  const before = old.facts.length
  old.process.kill('SIGCONT')
  await old.when(() => old.facts.length > before + 20)
  assert.deepEqual([await old.finish(), await next.finish()], [0, 0])
  const stored = await readLedger(path)
  for (const { seq, eventId, entryHash } of [...old.facts, ...next.facts].filter((fact) => fact.seq !== undefined)) {
    assert.deepEqual([stored[seq!]?.eventId, stored[seq!]?.entryHash], [eventId, entryHash])
  }
  const ids = stored.flatMap((entry) => entry.eventId ?? [])
  assert.equal(new Set(ids).size, ids.length)
})
