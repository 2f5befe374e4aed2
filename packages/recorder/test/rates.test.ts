/** Rates at the appender: a restart leaves of a bucket what the recorded decisions left of it. @module */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Ledger } from '../src/ledger/ledger.ts'
import { acked, createCase, item } from './support/ledger-case.ts'

const KEY = 'rate.ledger.a1b2'
type Disk = ReturnType<typeof createCase>

const take = (ledger: Ledger, perMs = 60_000, limit = 3, key = KEY) => ledger.reserve({ key, amount: 1, limit, perMs })
const decide = (disk: Disk, ledger: Ledger, n: number, members: object = {}) => {
  const timestamp = new Date(disk.time).toISOString()
  acked(ledger.append([item(n, 'sync', { timestamp, event_type: 'authorization_decision', metadata: { rate: KEY }, ...members })])[0])
}

describe('a rate', () => {
  it('goes on after a restart where it stood, and regains with time', () => {
    const disk = createCase()
    const first = disk.open()
    for (let n = 0; n < 3; n++) {
      assert.equal(take(first).granted, true)
      decide(disk, first, n)
    }
    first.close()
    const second = disk.open()
    assert.equal(take(second).granted, false)
    disk.time += 20_000
    assert.deepEqual([take(second).granted, take(second).granted], [true, false])
    assert.equal(take(second, 60_000, 3, 'rate.ledger.other').granted, true)
  })

  it('is not counted twice by the appender that granted it, nor from other records or other shapes', () => {
    const disk = createCase()
    const ledger = disk.open()
    decide(disk, ledger, 0, { event_type: 'data_access' })
    decide(disk, ledger, 1, { metadata: { rate: [KEY] } })
    decide(disk, ledger, 2, { metadata: { rate: { a: KEY } }, timestamp: 'x' })
    for (let n = 3; n < 6; n++) {
      assert.equal(take(ledger).granted, true)
      decide(disk, ledger, n)
    }
    assert.equal(take(ledger).granted, false)
  })

  it('forgets what was granted and never recorded, and what is older than an hour', () => {
    const disk = createCase()
    const first = disk.open()
    for (let n = 0; n < 3; n++) decide(disk, first, n)
    first.close()
    disk.time += 3_600_001
    assert.deepEqual(take(disk.open(), 3_600_000).granted, true)
  })

  it('is not moved by what was only told: no decision of others counts, and no time of theirs hides an older segment', () => {
    const disk = createCase()
    const open = () => disk.open({ rotateBytes: 1 << 13 })
    const first = open()
    const told = { source: { kind: 'sdk', vantage: 'reported' }, timestamp: new Date(0).toISOString() }
    for (let n = 0; n < 3; n++) decide(disk, first, n)
    for (let n = 3; n < 30; n++) decide(disk, first, n, { ...told, padding: 'x'.repeat(2000) })
    first.close()
    const second = open()
    assert.equal(take(second).granted, false)
    for (let n = 30; n < 40; n++) decide(disk, second, n, { ...told, timestamp: new Date(disk.time + 1e6).toISOString() })
    second.close()
    disk.time += 61_000
    assert.equal(take(open()).granted, true)
  })

  it('is the same with a restart anywhere as without one, over segments too', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { minLength: 1, maxLength: 14 }), fc.nat(13), (pauses, restart) => {
        const run = (restarts: boolean): readonly boolean[] => {
          const disk = createCase()
          const open = () => disk.open({ rotateBytes: 1 << 13 })
          let ledger = open()
          return pauses.map((pause, n) => {
            disk.time += pause
            if (restarts && n === restart % pauses.length) {
              ledger.close()
              ledger = open()
            }
            const { granted } = take(ledger)
            if (granted) decide(disk, ledger, n, { metadata: { rate: KEY, padding: 'x'.repeat(2000) } })
            return granted
          })
        }
        assert.deepEqual(run(true), run(false))
      }),
      { numRuns: 30 },
    )
  })
})
