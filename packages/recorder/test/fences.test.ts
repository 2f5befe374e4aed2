/** Two writers on one ledger: the one whose place was taken acknowledges nothing, signs nothing and harms nothing. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SwornError } from '@sworn/verify'
import type { Item } from '../src/ledger/admit.ts'
import type { Ledger } from '../src/ledger/ledger.ts'
import { acked, type Case, createCase, FILE, findings, HOME, item, outcome, PATH, tickAll, verify } from './support/ledger-case.ts'

const stale: [string, (ledger: Ledger, disk: Case) => unknown][] = [
  ['an append', (ledger) => ledger.append([item(50, 'sync')])[0]],
  ['an event that it has already', (ledger) => ledger.append([item(0, 'sync')])[0]],
  ['an event with an id that was used', (ledger) => ledger.append([item(0, 'sync', { target: 'x' })])[0]],
  ['a sync', (ledger) => ledger.sync()],
  ['an index that is due', (ledger, disk) => later(ledger, disk, 20)],
  ['a checkpoint that is due', (ledger, disk) => later(ledger, disk, 1500)],
  ['a rotation that is due', (ledger, disk) => later(ledger, disk, 86_400_001)],
  ['a new key', (ledger) => ledger.rotateKey()],
  ['pruning', (ledger) => ledger.prune(3, { policy: 'p', unanchored: true })],
  ['a look at its files', (ledger) => ledger.reopen()],
  ['its end', (ledger) => ledger.close()],
]

function later(ledger: Ledger, disk: Case, ms: number): SwornError {
  disk.time += ms
  ledger.tick()
  assert.equal(ledger.poisoned, true)
  return new SwornError('APPEND_UNKNOWN', 'a tick says nothing')
}

/** What the writer was told; an exception is an answer. */
function told(step: () => unknown): unknown {
  try {
    return step()
  } catch (e) {
    return e
  }
}

function resend(ledger: Ledger, event: Item): number {
  for (let n = 0; n < 4; n++) {
    const [answer] = ledger.append([event])
    if (outcome(answer) === 'ack') return acked(answer).seq
  }
  assert.fail('the writer does not go on')
}

for (const path of [PATH, FILE]) {
  for (const unsynced of [false, true]) {
    describe(`a writer that woke up after another took its place (${path}, ${unsynced ? 'with' : 'without'} unsynced events)`, () => {
      for (const [what, step] of stale) {
        it(`${what}: nothing acknowledged, nothing signed, no fork, and the other goes on`, async () => {
          const disk = createCase()
          const options = { path, rotateBytes: 4000 }
          const old = disk.open(options)
          for (let n = 0; n < 6; n++) old.append([item(n, 'sync')])
          if (unsynced) old.append([item(6, 'batch')])
          const other = disk.open(options)
          const first = resend(other, item(100, 'sync'))
          tickAll(disk, other)
          const { logId } = other.info
          const signed = () => disk.ops.content(`${HOME}/keys/${logId}/signed`)?.toString()
          const before = signed()
          const answer = told(() => step(old, disk))
          assert.ok(SwornError.is(answer), `${what} was answered with success`)
          assert.equal(signed(), before)
          const second = resend(other, item(101, 'sync'))
          assert.ok(second > first)
          for (const n of [100, 101]) assert.equal(resend(other, item(n, 'sync')), n === 100 ? first : second)
          other.close()
          assert.deepEqual(findings(await verify(disk.ops, path)), [])
          disk.open(options).close()
        })
      }
    })
  }
}
