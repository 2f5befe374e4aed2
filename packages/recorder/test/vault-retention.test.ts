/** What retention does to committed values: they go with their lines, and stay readable with those that an archive keeps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CRASH, faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { KEEP_ALL, KEEP_NOTHING, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { count } from '../../../testkit/src/suite.ts'
import { errorCode } from '../src/ledger/file-ops.ts'
import type { Ledger } from '../src/ledger/ledger.ts'
import { findDisclosures } from '../src/vault/find-disclosures.ts'
import { committed } from './support/committed.ts'
import { acked, type Case, createCase, FILE, HOME, item, PATH, records, tickAll } from './support/ledger-case.ts'

const STRIDE = count({ fast: 13, ci: 3, full: 1 })
const UP_TO = 14
const POLICY = { policy: 'p', unanchored: true }

interface Filled {
  readonly disk: Case
  readonly ledger: Ledger
  /** Every digest that was ever in a line. */
  readonly digests: readonly string[]
}

/** Values of alice and bob in several segments, with lines between them that commit nothing. */
function fill(path: string): Filled {
  const disk = createCase()
  const ledger = disk.open({ path, rotateBytes: 1500 })
  for (let n = 0; n < 12; n++) {
    const user = n % 2 === 0 ? 'alice' : 'bob'
    acked(ledger.append([n % 3 === 2 ? item(n, 'sync') : committed(disk.ops, ledger, n, user, `street ${n}`)])[0])
  }
  disk.time += 1500
  tickAll(disk, ledger)
  return { disk, ledger, digests: digestsIn(disk.ops, path) }
}

function digestsIn(ops: PageCache, path: string): string[] {
  return [...JSON.stringify(records(ops, path)).matchAll(/"\$sd":"([\w-]{43})"/g)].map(([, digest = '']) => digest)
}

const readable = (ops: PageCache, path: string, digests: readonly string[]) =>
  [...findDisclosures({ path, home: HOME, fileOps: ops }, digests).keys()].toSorted()

for (const path of [PATH, FILE]) {
  test(`a committed value is gone from the vault when its line is pruned, and no other is (${path})`, () => {
    const { disk, ledger, digests } = fill(path)
    assert.equal(readable(disk.ops, path, digests).length, 8)
    ledger.prune(UP_TO, POLICY)
    const left = digestsIn(disk.ops, path)
    assert.ok(left.length > 0 && left.length < digests.length, `${left.length} of ${digests.length}`)
    assert.deepEqual(readable(disk.ops, path, digests), left.toSorted())
    const root = path === FILE ? `${path}.ledger` : path
    for (const name of disk.ops.readdir(`${root}/vault`))
      for (const digest of digests) assert.equal(disk.ops.content(`${root}/vault/${name}`)?.includes(digest), left.includes(digest))
    ledger.erase({ subject: 'alice', basis: 'b', requestId: 'r', actor: 'a' })
    acked(ledger.append([committed(disk.ops, ledger, 40, 'bob', 'new')])[0])
    ledger.close()
    disk.open({ path, rotateBytes: 1500 }).close()
    const ofBob = records(disk.ops, path).filter(({ user, arguments: its }) => user === 'bob' && JSON.stringify(its)?.includes('$sd'))
    assert.equal(readable(disk.ops, path, digestsIn(disk.ops, path)).length, ofBob.length)
  })

  test(`what an archive keeps can be read, and erased (${path})`, () => {
    const { disk, ledger, digests } = fill(path)
    ledger.pack('zstd')
    ledger.prune(UP_TO, { ...POLICY, archivedTo: '/archive' })
    assert.equal(readable(disk.ops, path, digests).length, digests.length)
    ledger.erase({ subject: 'alice', basis: 'b', requestId: 'r', actor: 'a' })
    assert.equal(readable(disk.ops, path, digests).length, 4)
  })
}

test('pruning that is cut at any step and done again leaves a row for each committed value of a line that is there, and no other', () => {
  const total = cutAt(-1).steps
  assert.ok(total > 15, `${total} steps`)
  for (let at = 3; at < total; at += STRIDE) {
    for (const choose of [KEEP_NOTHING, KEEP_ALL]) {
      const { ops, digests } = cutAt(at)
      const disk = createCase('after', ops.crash(choose), Date.parse('2026-01-02T00:00:00Z'))
      const ledger = disk.open({ rotateBytes: 1500 })
      const rows = readable(disk.ops, PATH, digests)
      assert.ok(rows.length === digests.length || records(disk.ops).some(({ event_type: type }) => type === 'log.prune'), `step ${at}`)
      tickAll(disk, ledger)
      try {
        ledger.prune(UP_TO, POLICY)
      } catch (e) {
        assert.equal(errorCode(e), 'APPEND_REFUSED', `step ${at}`) // nothing was left to do
      }
      const left = digestsIn(disk.ops, PATH)
      assert.ok(left.length < digests.length)
      assert.deepEqual(readable(disk.ops, PATH, digests), left.toSorted(), `step ${at}`)
      ledger.close()
    }
  }
})

function cutAt(at: number): { readonly ops: PageCache; readonly steps: number; readonly digests: readonly string[] } {
  const { disk, ledger: before, digests } = fill(PATH)
  before.close()
  const faulty = faultyOps(disk.ops, { at: -1, fault: 'crash', code: CRASH })
  const ledger = disk.open({ fileOps: faulty, rotateBytes: 1500 })
  const from = faulty.steps.length
  const plan = faulty.plan as { at: number } // moved to where the pruning begins
  plan.at = at < 0 ? -1 : from + at
  try {
    ledger.prune(UP_TO, POLICY)
  } catch (e) {
    if (!['APPEND_UNKNOWN', 'IO_FAILED', CRASH].includes(errorCode(e))) throw e
  }
  return { ops: disk.ops, steps: faulty.steps.length - from, digests }
}
