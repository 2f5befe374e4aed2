/** The delayed fdatasync beside the appends: same promises, same failures. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { createPageCache, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import { createGroupCommit } from '../src/port/group-commit.ts'
import { acked, createCase, item, logFiles, outcome, records, verify } from './support/ledger-case.ts'

/** A simulated disk whose syncs beside the caller end when the test says so, well or with an error. */
function slowDisk(): { ops: PageCache; end(error?: Error): void; readonly underWay: number; readonly openFiles: number } {
  const inner = createPageCache()
  const waiting: { fd: number; done: (error: Error | null) => void }[] = []
  let openFiles = 0
  const ops: PageCache = {
    ...inner,
    open(path, mode) {
      openFiles++
      return inner.open(path, mode)
    },
    close(fd) {
      openFiles--
      inner.close(fd)
    },
    fdatasyncAside: (fd, done) => void waiting.push({ fd, done }),
  }
  return {
    ops,
    end(error) {
      const { fd, done } = waiting.shift()!
      if (!error) ops.fdatasync(fd)
      done(error ?? null)
    },
    get underWay() {
      return waiting.length
    },
    get openFiles() {
      return openFiles
    },
  }
}

const EIO = Object.assign(new Error('a disk that fails'), { code: 'EIO' })

test('a sync beside the appends makes durable what was written when it began, and nothing that came later', () => {
  const slow = slowDisk()
  const ledger = createCase('s', slow.ops).open()
  ledger.append([item(1)])
  const before = ledger.size
  let ended = 0
  assert.equal(
    ledger.syncAside(() => ended++),
    true,
  )
  assert.equal(
    ledger.syncAside(() => ended++),
    false,
    'one at a time',
  )
  ledger.append([item(2)])
  assert.ok(ledger.durableSize < before)
  slow.end()
  assert.deepEqual([ledger.durableSize, ended, ledger.unsyncedBytes > 0], [before, 1, true])
  ledger.close()
})

test('an event that waits for the disk does not wait for a sync that is under way, and is not taken back by it', () => {
  const slow = slowDisk()
  const ledger = createCase('s', slow.ops).open()
  ledger.append([item(1)])
  ledger.syncAside(() => {})
  const [answer] = ledger.append([item(2, 'sync')])
  assert.equal(acked(answer).durable, true)
  const durable = ledger.durableSize
  slow.end()
  assert.equal(ledger.durableSize, durable)
  ledger.close()
})

test('a sync that fails beside the appends poisons like one in front of them, and the log goes on in a new segment', async () => {
  const slow = slowDisk()
  const disk = createCase('s', slow.ops)
  const ledger = disk.open()
  ledger.append([item(1)])
  let ended = 0
  ledger.syncAside(() => ended++)
  slow.end(EIO)
  assert.deepEqual([ended, ledger.poisoned, ledger.unsyncedBytes], [1, true, 0])
  const answers = ledger.append([item(1, 'sync'), item(2, 'sync')])
  assert.deepEqual(answers.map(outcome), ['ack', 'ack'])
  assert.equal(logFiles(slow.ops).length, 2)
  assert.equal(records(slow.ops).filter((record) => record.tool === 't1').length, 1)
  ledger.close()
  assert.equal((await verify(slow.ops)).findings.length, 0)
})

test('what ends after rotation, after a failure or after the end changes nothing, and leaves no descriptor', () => {
  const slow = slowDisk()
  const disk = createCase('s', slow.ops)
  const ledger = disk.open({ rotateBytes: 3000 })
  ledger.append([item(1)])
  let ended = 0
  ledger.syncAside(() => ended++)
  for (let n = 2; logFiles(slow.ops).length < 2; n++) ledger.append([item(n)])
  const durable = ledger.durableSize
  slow.end(EIO) // of the old segment, which rotation synced
  assert.deepEqual([ended, ledger.poisoned, ledger.durableSize], [1, false, durable])
  ledger.append([item(90)])
  ledger.syncAside(() => ended++)
  ledger.close()
  slow.end()
  assert.deepEqual([ended, slow.underWay, slow.openFiles], [2, 0, 0])
})

test('the delayed sync is begun within the delay and never twice at a time; what is written meanwhile waits from its begin', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const slow = slowDisk()
  const disk = createCase('s', slow.ops)
  const ledger = disk.open()
  const commit = createGroupCommit(ledger, { syncDelayMs: 5, syncsAside: true, now: () => disk.time })
  await commit.append([item(1)])
  mock.timers.tick(4)
  assert.equal(slow.underWay, 0)
  mock.timers.tick(1)
  assert.equal(slow.underWay, 1)
  await commit.append([item(2)])
  mock.timers.tick(100)
  assert.equal(slow.underWay, 1)
  slow.end(EIO)
  assert.equal(ledger.poisoned, true)
  await commit.append([item(3)])
  mock.timers.tick(5)
  assert.equal(slow.underWay, 1, 'a failure does not end the syncing')
  slow.end()
  assert.equal(ledger.unsyncedBytes, 0)
  await commit.append([item(4)])
  await commit.append([item(5, 'sync')])
  mock.timers.tick(5)
  assert.equal(slow.underWay, 0, 'what a sync event took along is not synced again')
  commit.close()
  mock.timers.reset()
})

test('on a real disk', { skip: process.platform === 'linux' ? false : 'only Linux tells every descriptor of an error' }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sworn-aside-'))
  const ledger = openLedger({ path: join(dir, 'audit'), home: join(dir, 'home') })
  ledger.append([item(1)])
  const ended = new EventTarget()
  assert.equal(
    ledger.syncAside(() => void ended.dispatchEvent(new Event('end'))),
    true,
  )
  await once(ended, 'end')
  assert.deepEqual([ledger.durableSize, ledger.unsyncedBytes], [ledger.size, 0])
  ledger.close()
  assert.match(readFileSync(join(dir, 'audit', 'segments', '00000000000000000000.jsonl'), 'utf8'), /"tool":"t1"/)
})
