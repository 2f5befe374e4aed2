/** The delayed fdatasync beside the appends: same promises, same failures. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import type { SwornError } from '@sworn/verify'
import { createPageCache, KEEP_NOTHING, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import { createGroupCommit } from '../src/port/group-commit.ts'
import type { Ack } from '../src/port/types.ts'
import { acked, createCase, item, logFiles, outcome, records, tickAll, verify } from './support/ledger-case.ts'

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

/** Two events that wait for the disk, and the sync that they wait for. */
async function openHeld() {
  const slow = slowDisk()
  const disk = createCase('s', slow.ops)
  const ledger = disk.open()
  const commit = createGroupCommit(ledger, { syncsAside: true, now: () => disk.time })
  const answers = commit.append([item(1, 'sync'), item(2, 'sync')])
  await turn()
  assert.equal(slow.underWay, 1)
  return { slow, disk, ledger, commit, answers }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const durable = (answers: readonly (Ack | SwornError)[]) => answers.map((answer) => acked(answer).durable)

test('one event that waits for the disk does so in front of the appends, several beside them; the next commit comes after', async () => {
  const { slow, ledger, commit, answers } = await openHeld()
  const later = commit.append([item(3, 'sync')])
  await turn()
  const size = ledger.size
  assert.equal(await Promise.race([answers, later, turn()]), undefined, 'nobody is answered before the disk')
  slow.end()
  assert.deepEqual(durable(await answers), [true, true])
  assert.deepEqual([durable(await later), ledger.size, slow.underWay], [[true], size + 1, 0])
  commit.close()
})

test('what several events were promised survives power loss, and before they are answered nothing was promised', async () => {
  const { slow, disk, ledger, commit, answers } = await openHeld()
  const found = (ops: PageCache) => records(createCrashed(ops)).filter(({ tool }) => tool === 't1' || tool === 't2').length
  const createCrashed = (ops: PageCache) => {
    const crashed = ops.crash(KEEP_NOTHING)
    createCase('s', crashed, disk.time).open().close()
    return crashed
  }
  assert.equal(found(slow.ops), 0)
  slow.end()
  assert.deepEqual([durable(await answers), found(slow.ops), ledger.durableSize], [[true, true], 2, ledger.size])
  commit.close()
})

const endings: readonly { readonly what: string; end(held: Awaited<ReturnType<typeof openHeld>>): void; readonly outcome: string }[] = [
  { what: 'the disk fails', end: ({ slow }) => slow.end(EIO), outcome: 'APPEND_UNKNOWN' },
  { what: 'somebody flushes', end: ({ commit }) => commit.flush(), outcome: 'ack' },
  { what: 'the files are looked at', end: ({ commit }) => commit.reopen(), outcome: 'ack' },
  { what: 'it is closed', end: ({ commit }) => commit.close(), outcome: 'ack' },
  { what: 'another process records', end: ({ commit }) => commit.abandon(), outcome: 'APPEND_UNKNOWN' },
  { what: 'a tick signs', end: ({ slow, disk, ledger }) => (tickAll(disk, ledger), slow.end()), outcome: 'ack' },
]
for (const { what, end, outcome: expected } of endings) {
  test(`several events wait for the disk, and ${what}: each is answered once, ${expected}`, async () => {
    const held = await openHeld()
    end(held)
    const answers = await held.answers
    assert.deepEqual(answers.map(outcome), [expected, expected])
    if (expected === 'ack') assert.deepEqual(durable(answers), [true, true])
    if (held.slow.underWay > 0) held.slow.end() // too late: it changes nothing
    held.commit.close()
  })
}

test('after a disk that failed several events at once the log goes on in a new segment, and none of them stands twice', async () => {
  const { slow, ledger, commit, answers } = await openHeld()
  const later = commit.append([item(1, 'sync')])
  slow.end(EIO)
  assert.deepEqual((await answers).map(outcome), ['APPEND_UNKNOWN', 'APPEND_UNKNOWN'])
  assert.deepEqual([(await later).map(outcome), ledger.poisoned, logFiles(slow.ops).length], [['ack'], false, 2])
  assert.equal(records(slow.ops).filter(({ tool }) => tool === 't1').length, 1)
  commit.close()
  assert.equal((await verify(slow.ops)).findings.length, 0)
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
