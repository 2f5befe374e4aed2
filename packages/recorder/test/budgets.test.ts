/** Budgets at the appender: counted from the records, shared, never passed, never forgotten by a restart. @module */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Ledger } from '../src/ledger/ledger.ts'
import type { Reservation } from '../src/port/types.ts'
import { acked, createCase, item, outcome, records } from './support/ledger-case.ts'

const COUNTER = 'budget.calls.session'
const spend = (n: number, amount = 1, limit?: number) =>
  item(n, 'sync', {
    event_type: 'authorization_decision',
    metadata: { spent: [{ counter: COUNTER, amount, ...(limit !== undefined && { limit }) }] },
  })
const giveBack = (n: number) =>
  item(n, 'sync', { event_type: 'authorization_decision', metadata: { returned: [{ counter: COUNTER, amount: 1 }] } })
const ask = (ledger: Ledger, amount: number, limit: number): Reservation =>
  ledger.reserve({ key: COUNTER, amount, limit, perMs: 0, also: [] })

/** The sum that the records on the disk have spent. */
function spentOnDisk(disk: ReturnType<typeof createCase>): number {
  const spents = records(disk.ops).flatMap(({ metadata }) => (metadata as { spent?: { amount: number }[] } | undefined)?.spent ?? [])
  return spents.reduce((sum, { amount }) => sum + amount, 0)
}

describe('a budget', () => {
  it('is granted up to its limit, and nothing comes back with time', () => {
    const disk = createCase()
    const ledger = disk.open()
    assert.deepEqual([ask(ledger, 2, 3).granted, ask(ledger, 2, 3).granted, ask(ledger, 1, 3).granted], [true, false, true])
    disk.time += 1e12
    assert.deepEqual(ask(ledger, 1, 3), { granted: false, retryAfterMs: Number.POSITIVE_INFINITY, used: [3], refused: 0 })
  })

  it('counts what was recorded before a restart, and forgets what was granted and never recorded', () => {
    const disk = createCase()
    const first = disk.open()
    assert.equal(ask(first, 2, 5).granted, true)
    acked(first.append([spend(1, 2, 5)])[0])
    assert.equal(ask(first, 1, 5).granted, true)
    first.close()
    assert.deepEqual(ask(disk.open(), 0, 5).used, [2])
  })

  it('is not moved by a record that is sent twice', () => {
    const disk = createCase()
    const ledger = disk.open()
    ask(ledger, 1, 5)
    for (let n = 0; n < 3; n++) acked(ledger.append([spend(1, 1, 5)])[0])
    assert.deepEqual(ask(ledger, 0, 5).used, [1])
  })

  it("is not moved by what was only told: nobody spends what is another's, or gives back what he holds himself", () => {
    const disk = createCase()
    const ledger = disk.open()
    assert.equal(ask(ledger, 2, 5).granted, true)
    const source = { kind: 'sdk', vantage: 'reported' }
    for (const member of ['spent', 'returned']) {
      const told = { event_type: 'authorization_decision', source, metadata: { [member]: [{ counter: COUNTER, amount: 2, limit: 1 }] } }
      acked(ledger.append([item(member.length, 'sync', told)])[0])
    }
    assert.deepEqual(ask(ledger, 0, 5).used, [2])
    ledger.close()
    assert.deepEqual(ask(disk.open(), 0, 5).used, [0])
  })

  it('refuses the record of a call that a recorder before this one granted, when it no longer fits', () => {
    const disk = createCase()
    const first = disk.open()
    assert.equal(ask(first, 1, 1).granted, true)
    first.close()
    const second = disk.open()
    assert.equal(ask(second, 1, 1).granted, true)
    assert.equal(outcome(second.append([spend(1, 1, 1)])[0]), 'ack')
    assert.equal(outcome(second.append([spend(2, 1, 1)])[0]), 'APPEND_REFUSED')
    assert.equal(spentOnDisk(disk), 1)
  })

  it('counts without a limit what is known only afterwards, tokens for one, and then grants nothing more', () => {
    const ledger = createCase().open()
    acked(ledger.append([spend(1, 900)])[0])
    assert.equal(ask(ledger, 0, 1000).granted, true)
    acked(ledger.append([spend(2, 900)])[0])
    assert.deepEqual(ask(ledger, 0, 1000), { granted: false, retryAfterMs: Number.POSITIVE_INFINITY, used: [1800], refused: 0 })
  })

  it('is taken together with others or not at all, and which one was short is said', () => {
    const ledger = createCase().open()
    const day = { key: 'day', amount: 1, limit: 1, perMs: 0 }
    const both = () => ledger.reserve({ key: 'session', amount: 1, limit: 9, perMs: 0, also: [day] })
    assert.equal(both().granted, true)
    assert.partialDeepStrictEqual(both(), { granted: false, refused: 1, used: [1, 1] })
    assert.throws(() => ledger.reserve({ ...day, also: [day] }), { code: 'APPEND_REFUSED' })
  })

  it('gets back what was held for a call that was refused after all, once, and never what was spent', () => {
    const ledger = createCase().open()
    assert.deepEqual([ask(ledger, 1, 2).granted, ask(ledger, 1, 2).granted, ask(ledger, 1, 2).granted], [true, true, false])
    acked(ledger.append([spend(1, 1, 2)])[0])
    for (let n = 0; n < 2; n++) acked(ledger.append([giveBack(2)])[0])
    assert.deepEqual(ask(ledger, 0, 2).used, [1])
    acked(ledger.append([giveBack(3)])[0])
    assert.deepEqual(ask(ledger, 0, 2).used, [1])
  })

  it('is not moved by text that only looks like a record of spending', () => {
    const ledger = createCase().open()
    const odd = [
      { spent: 'x' },
      { spent: [{ counter: COUNTER, amount: -5 }, { counter: COUNTER, amount: 1.5 }, { counter: 7, amount: 1 }, null] },
    ]
    for (const [n, metadata] of odd.entries()) ledger.append([item(n, 'sync', { event_type: 'authorization_decision', metadata })])
    ledger.append([item(8, 'sync', { event_type: 'authorization_decision', arguments: { spent: [{ counter: COUNTER, amount: 5 }] } })])
    ledger.append([item(9, 'sync', { event_type: 'dlp_match', metadata: { spent: [{ counter: COUNTER, amount: 5 }] } })])
    assert.deepEqual(ask(ledger, 0, 5).used, [0])
  })

  it('whatever the order of grants, records, refusals, resends and restarts, what is recorded stays within the limit', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('grant') },
      { weight: 6, arbitrary: fc.constant('record') },
      { weight: 3, arbitrary: fc.constantFrom('refuse', 'refuse again') },
      { weight: 2, arbitrary: fc.constant('resend') },
      { weight: 1, arbitrary: fc.constant('restart') },
    )
    const property = fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (steps, limit) => {
      const disk = createCase()
      let ledger = disk.open()
      const granted: number[] = []
      let [next, last] = [0, -1]
      for (const what of steps) {
        if (what === 'grant' && ask(ledger, 1, limit).granted) granted.push(next++)
        if (what === 'record' && granted.length > 0) ledger.append([spend((last = granted.shift()!), 1, limit)]) // length > 0
        if (what === 'refuse again' || (what === 'refuse' && granted.shift() !== undefined)) ledger.append([giveBack(next++)])
        if (what === 'resend' && last >= 0) ledger.append([spend(last, 1, limit)])
        if (what !== 'restart') continue
        ledger.close()
        ledger = disk.open()
      }
      ledger.close()
      assert.ok(spentOnDisk(disk) <= limit)
    })
    fc.assert(property, { seed: 20260728, numRuns: process.env.SWORN_TESTS === 'full' ? 2000 : 60 })
  })
})
