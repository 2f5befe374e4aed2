/** How long the disk takes is counted where it happens, and read from the thread that records. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPort, openPortHere } from '../src/index.ts'
import { nodeFileOps } from '../src/ledger/file-ops.ts'
import { readSyncTimes, SYNC_TIME_WORDS, timingSyncs } from '../src/port/sync-times.ts'
import { createRecorder } from '../src/recorder/recorder.ts'

const ways = { 'in a thread': openPort, 'in this thread': openPortHere }
const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)

for (const [name, open] of Object.entries(ways))
  test(`a recorder says how often and how long it waited for the disk, ${name}`, async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'sworn-sync-times-'))
    t.after(() => rmSync(home, { recursive: true, force: true }))
    const port = await open({ path: join(home, 'audit'), home, version: '0' })
    const recorder = createRecorder({ port })
    const before = recorder.stats().syncMs!
    await recorder.record({ event_type: 'security_alert', severity: 'critical', message: 'x' }, { level: 'sync' })
    const after = recorder.stats().syncMs!
    await recorder.close()
    assert.ok(sum(after.counts) > sum(before.counts))
    assert.ok(after.sumMs > before.sumMs)
    assert.equal(after.counts.length, after.boundsMs.length + 1)
  })

test('a sync that fails is counted too, and fails', () => {
  const words = new Float64Array(SYNC_TIME_WORDS)
  const fail = (): never => {
    throw new Error('EIO')
  }
  const ops = timingSyncs({ ...nodeFileOps, fdatasync: fail, fdatasyncAside: (_, done) => done(new Error('EIO')) }, words)
  assert.throws(() => ops.fdatasync(0), /EIO/)
  let told: Error | null = null
  ops.fdatasyncAside?.(0, (error) => {
    told = error
  })
  assert.match(String(told), /EIO/)
  assert.equal(sum(readSyncTimes(words).counts), 2)
})
