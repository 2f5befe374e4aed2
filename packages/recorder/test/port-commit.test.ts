/** Group commit: what is on disk when, in how many writes, and what failure answers. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { type AppendableLedger, createGroupCommit, type Item } from '../src/port/group-commit.ts'
import type { Level } from '../src/port/types.ts'
import { sample } from './support/submissions.ts'

interface Calls {
  readonly appends: number[]
  syncs: number
  ticks: number
}

/** A ledger that counts; `fail` makes its append throw. */
function countingLedger(options: { fail?: unknown; tickAt?: number } = {}): AppendableLedger & { readonly calls: Calls } {
  const calls: Calls = { appends: [], syncs: 0, ticks: 0 }
  let unsyncedBytes = 0
  let seq = 0
  return {
    calls,
    info: { logId: 'l', origin: 'o', path: 'p' },
    get unsyncedBytes() {
      return unsyncedBytes
    },
    append(items) {
      if (options.fail) throw options.fail
      calls.appends.push(items.length)
      const durable = items.some((item) => item.level === 'sync')
      unsyncedBytes = durable ? 0 : 1
      return items.map(() => ({ logId: 'l', seq: seq++, entryHash: '', durable }))
    },
    sync() {
      calls.syncs++
      unsyncedBytes = 0
    },
    tick: () => void calls.ticks++,
    nextTickAt: () => (calls.ticks === 0 ? (options.tickAt ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY),
    reserve: () => ({ granted: true, retryAfterMs: 0 }),
    reopen: () => undefined,
    operate: () => ({}),
    close: () => undefined,
  }
}

const item = (n: number, level: Level = 'batch'): Item => ({ ...sample(n, level), producerId: 'p' })

test('what is queued in one turn is one write', async () => {
  const ledger = countingLedger()
  const commit = createGroupCommit(ledger)
  await Promise.all([commit.append([item(1), item(2)]), commit.append([item(3)])])
  assert.deepEqual(ledger.calls.appends, [3])
  commit.close()
})

test('a commit holds at most 4,096 records and 4 MiB', async () => {
  const ledger = countingLedger()
  const commit = createGroupCommit(ledger)
  const big = { ...item(0), json: 'x'.repeat(1_500_000) }
  await Promise.all([commit.append(Array.from({ length: 5000 }, (_, n) => item(n))), commit.append([big, big, big])])
  assert.deepEqual(ledger.calls.appends.slice(0, 1), [4096])
  assert.equal(
    ledger.calls.appends.reduce((a, b) => a + b),
    5003,
  )
  assert.ok(ledger.calls.appends.length >= 3)
  commit.close()
})

test('a batch event is synced within the delay, and only once', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const ledger = countingLedger()
  const commit = createGroupCommit(ledger, { syncDelayMs: 5 })
  await commit.append([item(1)])
  await commit.append([item(2)])
  mock.timers.tick(4)
  assert.equal(ledger.calls.syncs, 0)
  mock.timers.tick(1)
  assert.equal(ledger.calls.syncs, 1)
  mock.timers.tick(100)
  assert.equal(ledger.calls.syncs, 1)
  commit.close()
  mock.timers.reset()
})

test('what an event that waits for the disk took along ends the delay: what comes later waits its own', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const ledger = countingLedger()
  const commit = createGroupCommit(ledger, { syncDelayMs: 5 })
  await commit.append([item(1)])
  mock.timers.tick(3)
  await commit.append([item(2, 'sync')])
  await commit.append([item(3)])
  mock.timers.tick(4)
  assert.equal(ledger.calls.syncs, 0, 'not when the delay of the first was over')
  mock.timers.tick(1)
  assert.equal(ledger.calls.syncs, 1)
  commit.close()
  mock.timers.reset()
})

test('a tick that is due is made without an append', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const ledger = countingLedger({ tickAt: 1000 })
  const commit = createGroupCommit(ledger, { now: () => 0 })
  await commit.append([item(1)])
  mock.timers.tick(999)
  assert.equal(ledger.calls.ticks, 0)
  mock.timers.tick(1)
  assert.equal(ledger.calls.ticks, 1)
  commit.close()
  mock.timers.reset()
})

test('a ledger that throws answers every event of the commit, with its own code', async () => {
  const commit = createGroupCommit(countingLedger({ fail: new SwornError('APPEND_REFUSED', 'the disk is full') }))
  const answers = (await Promise.all([commit.append([item(1), item(2)]), commit.append([item(3)])])).flat()
  assert.deepEqual(
    answers.map((a) => SwornError.is(a) && a.code),
    ['APPEND_REFUSED', 'APPEND_REFUSED', 'APPEND_REFUSED'],
  )
})

test('what is thrown that is no SwornError is unknown, and tells nothing of the event', async () => {
  const commit = createGroupCommit(countingLedger({ fail: new Error('secret-token') }))
  const [answer] = await commit.append([item(1)])
  assert.ok(SwornError.is(answer, 'APPEND_UNKNOWN'))
  assert.doesNotMatch(answer.message, /secret-token/)
})

test('close commits what is queued, and later events are answered LEDGER_CLOSED', async () => {
  const ledger = countingLedger()
  const commit = createGroupCommit(ledger)
  const queued = commit.append([item(1)])
  commit.close()
  assert.equal((await queued).length, 1)
  assert.ok(SwornError.is((await commit.append([item(2)]))[0], 'LEDGER_CLOSED'))
})

test('a sync delay beyond 50 ms is refused', () => {
  assert.throws(() => createGroupCommit(countingLedger(), { syncDelayMs: 51 }), RangeError)
})

test('what is due by the clock is done although commits follow each other without a pause', async () => {
  const ledger = countingLedger({ tickAt: 100 })
  const commit = createGroupCommit(ledger, { now: () => 0 })
  const timers = mock.method(globalThis, 'setTimeout')
  for (let n = 0; n < 10; n++) await commit.append([item(n, 'sync')])
  const waits = timers.mock.calls.filter((call) => call.arguments[1] === 100)
  timers.mock.restore()
  assert.equal(waits.length, 1, 'a timer that is set anew at each commit never runs out')
  commit.close()
})
