/** Erasing a subject: nothing of the values is left, the log still verifies, and a crash anywhere is finished by the next run. @module */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CRASH, faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { type Choose, createPageCache, KEEP_ALL, KEEP_NOTHING, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { formsOf } from '../../../testkit/src/forms.ts'
import { count } from '../../../testkit/src/suite.ts'
import { errorCode, type FileOps } from '../src/ledger/file-ops.ts'
import type { Ledger } from '../src/ledger/ledger.ts'
import { readDisclosure } from '../src/vault/disclosure.ts'
import { type ErasurePlan, type ErasureRequest, planErasure } from '../src/vault/erase.ts'
import { findDisclosures } from '../src/vault/find-disclosures.ts'
import { parseRow } from '../src/vault/row.ts'
import { committed } from './support/committed.ts'
import { acked, type Case, createCase, FILE, findings, HOME, item, outcome, PATH, records, tickAll, verify } from './support/ledger-case.ts'

/** Every how many steps the power is cut. */
const STRIDE = count({ fast: 31, ci: 4, full: 1 })
const SECRET = 'Zürich, Langstraße "12" \\ 3rd floor'
const REQUEST: ErasureRequest = { subject: 'alice', basis: 'GDPR Art. 17', requestId: 'R-1', actor: 'dpo' }

/** A ledger with three values of alice and two of bob over several segments. */
function fill(disk: Case, path: string, ops: FileOps = disk.ops): Ledger {
  const ledger = disk.open({ path, fileOps: ops, rotateBytes: 1500 })
  const names = ['alice', 'bob', 'alice', 'bob', 'alice']
  for (const [n, user] of names.entries()) acked(ledger.append([committed(ops, ledger, n, user, user === 'alice' ? SECRET : 'Bern')])[0])
  disk.time += 1500
  tickAll(disk, ledger)
  return ledger
}

function plan(disk: Case, path: string, subject: string): ErasurePlan {
  return planErasure({ path, home: HOME, fileOps: disk.ops }, subject)
}

function erasures(ops: PageCache, path: string): Record<string, unknown>[] {
  return records(ops, path).filter(({ event_type: type }) => type === 'log.erasure')
}

function filesWith(ops: PageCache, forms: readonly Buffer[]): string[] {
  return ops.paths().filter((path) => forms.some((form) => ops.content(path)?.includes(form)))
}

for (const path of [PATH, FILE]) {
  describe(`erasing a subject (${path})`, () => {
    it('the row is on disk before the line, and nothing readable is in any file, before or after', async () => {
      const disk = createCase()
      const ledger = fill(disk, path)
      assert.deepEqual(filesWith(disk.ops, formsOf(SECRET)), [])
      assert.equal(plan(disk, path, 'alice').rows, 3)
      ledger.erase(REQUEST)
      assert.deepEqual(filesWith(disk.ops, formsOf(SECRET)), [])
      ledger.close()
      assert.deepEqual(findings(await verify(disk.ops, path)), [])
    })

    it('destroys the key, drops the rows, says which values went and who asked, and leaves the others', () => {
      const disk = createCase()
      const ledger = fill(disk, path)
      const planned = plan(disk, path, 'alice')
      assert.deepEqual([planned.targets.length, planned.rows, planned.key, planned.inClear.records], [3, 3, true, 3])
      const keys = () => disk.ops.paths().filter((name) => name.includes('/deks/')).length
      assert.equal(keys(), 2)
      const outcome = ledger.erase({ ...REQUEST, confirmed: ['index'], unconfirmed: ['sink:splunk'] })
      assert.equal(keys(), 1)
      const [said] = erasures(disk.ops, path)
      assert.deepEqual(said && { ...said, timestamp: 0, previous_hash: 0, entry_hash: 0 }, {
        timestamp: 0,
        event_type: 'log.erasure',
        targets: planned.targets,
        basis: REQUEST.basis,
        request_id: 'R-1',
        actor: 'dpo',
        confirmed: ['key', 'vault', 'quarantine', 'index'],
        unconfirmed: ['sink:splunk'],
        seq: outcome.recorded[0],
        previous_hash: 0,
        entry_hash: 0,
      })
      assert.ok(!JSON.stringify(said).includes('alice'))
      assert.deepEqual([plan(disk, path, 'bob').rows, plan(disk, path, 'alice').rows], [2, 0])
      for (const { seq, pointer } of planned.targets) {
        const record = records(disk.ops, path).find((entry) => entry.seq === seq)
        assert.equal(pointer, '/arguments/address')
        assert.match(JSON.stringify(record?.arguments), /^\{"address":\{"\$sd":"[\w-]{43}"\}\}$/)
      }
    })

    it('who has the keys reads a committed value, until it is erased', () => {
      const disk = createCase()
      const ledger = fill(disk, path)
      const digests = records(disk.ops, path).flatMap((record) =>
        Array.from(JSON.stringify(record).matchAll(/"\$sd":"([\w-]{43})"/g), ([, digest = '']) => digest),
      )
      const values = () =>
        [...findDisclosures({ path, home: HOME, fileOps: disk.ops }, digests).values()].map((text) => readDisclosure(text)?.value)
      assert.deepEqual(values(), [SECRET, 'Bern', SECRET, 'Bern', SECRET])
      ledger.erase(REQUEST)
      assert.deepEqual(values(), ['Bern', 'Bern'])
      assert.equal(findDisclosures({ path, home: '/elsewhere', fileOps: disk.ops }, digests).size, 0)
    })

    it('a second run does nothing and says nothing; a subject that nobody knows neither', () => {
      const disk = createCase()
      const ledger = fill(disk, path)
      ledger.erase(REQUEST)
      const before = records(disk.ops, path).length
      assert.deepEqual(ledger.erase(REQUEST).recorded, [])
      assert.deepEqual(ledger.erase({ ...REQUEST, subject: '../../x' }).recorded, [])
      assert.equal(records(disk.ops, path).length, before)
    })

    it('a subject that comes back has another key, and can be erased again', () => {
      const disk = createCase()
      const ledger = fill(disk, path)
      ledger.erase(REQUEST)
      acked(ledger.append([committed(disk.ops, ledger, 50, 'alice', 'Basel')])[0])
      const { targets } = plan(disk, path, 'alice')
      assert.equal(targets.length, 1)
      assert.equal(ledger.erase(REQUEST).recorded.length, 1)
      assert.deepEqual(
        erasures(disk.ops, path).map(({ targets }) => (targets as unknown[]).length),
        [3, 1],
      )
    })

    it('a name is told where an event says it, and not where it is a part of another one, or of a hash', () => {
      const disk = createCase()
      const ledger = disk.open({ path })
      const notes = ['bob', 'bobby', 'xbob', 'line\nbob\tx', '\u001bbob', 'to:bob@example.com', '_bob_', 'b ob', '李bob李', '"bob"']
      const at = notes.map((note, n) => acked(ledger.append([item(n, 'sync', { note })])[0]).seq)
      const said = (name: string) => plan(disk, path, name).inClear.first.map((seq) => notes[at.indexOf(seq)])
      assert.deepEqual(said('bob'), ['bob', 'line\nbob\tx', '\u001bbob', 'to:bob@example.com', '_bob_', '李bob李', '"bob"'])
      assert.deepEqual(said('李'), ['李bob李'])
      assert.deepEqual(said('"bob"'), ['"bob"'])
      const hashes = records(disk.ops, path).map(({ entry_hash }) => String(entry_hash).slice(20, 23))
      for (const part of new Set(hashes)) for (const note of said(part)) assert.ok(note?.includes(part), `${part} in ${note}`)
    })

    it('a torn tail that names the subject goes, another one stays', () => {
      const disk = createCase()
      const ledger = fill(disk, path)
      const root = path === FILE ? `${path}.ledger` : path
      for (const [name, text] of [
        ['a', '{"user":"alice"'],
        ['b', '{"user":"malice"'],
      ] as const) {
        const fd = disk.ops.open(`${root}/quarantine/${name}.bin`, 'create')
        disk.ops.write(fd, Buffer.from(text))
        disk.ops.close(fd)
      }
      assert.equal(ledger.erase(REQUEST).quarantined, 1)
      assert.deepEqual(disk.ops.readdir(`${root}/quarantine`), ['b.bin'])
    })

    it('the power cut at any step: nothing breaks, and the next run finishes without naming a value twice', async () => {
      const steps = play(path, -1).steps
      assert.ok(steps > 15, `${steps} steps`)
      let halfDone = 0
      for (let at = 5; at < steps; at += STRIDE) {
        for (const choose of [KEEP_NOTHING, KEEP_ALL]) halfDone += await cut(path, at, choose)
      }
      assert.ok(halfDone > 0, 'a cut came after the key was destroyed and before the end')
    })
  })
}

/** Runs an erasure that is cut at its step `at`. */
function play(path: string, at: number): { ops: PageCache; steps: number } {
  const disk = createCase()
  fill(disk, path).close()
  const faulty = faultyOps(disk.ops, { at: -1, fault: 'crash', code: CRASH })
  const ledger = disk.open({ path, fileOps: faulty, rotateBytes: 1500 })
  const from = faulty.steps.length
  const plan = faulty.plan as { at: number } // moved to where the erasure begins
  plan.at = at < 0 ? -1 : from + at
  try {
    ledger.erase(REQUEST)
  } catch (e) {
    if (!['APPEND_UNKNOWN', 'IO_FAILED', CRASH].includes(errorCode(e))) throw e
  }
  return { ops: disk.ops, steps: faulty.steps.length - from }
}

/** 1 when the cut left the key destroyed and rows behind. */
async function cut(path: string, at: number, choose: Choose): Promise<0 | 1> {
  const ops = play(path, at).ops.crash(choose)
  const disk = createCase('after', ops, Date.parse('2026-01-02T00:00:00Z'))
  const ledger = disk.open({ path, rotateBytes: 1500 })
  const { key, rows } = plan(disk, path, 'alice')
  ledger.erase(REQUEST)
  assert.deepEqual(
    [plan(disk, path, 'alice').rows, plan(disk, path, 'alice').key, plan(disk, path, 'bob').rows],
    [0, false, 2],
    `step ${at}`,
  )
  const named = erasures(ops, path).flatMap(({ targets }) => targets as { seq: number }[])
  assert.deepEqual(
    named.map(({ seq }) => seq).toSorted((a, b) => a - b),
    [...new Set(named.map(({ seq }) => seq))],
    `step ${at}`,
  )
  assert.equal(named.length, 3, `step ${at}`)
  ledger.close()
  assert.deepEqual(findings(await verify(ops, path)), [], `step ${at}`)
  return !key && rows > 0 ? 1 : 0
}

describe('the vault under a writer that fails', () => {
  it('a power cut at any step leaves no durable line whose row is gone', () => {
    for (let at = 0; at < 60; at += 2) {
      const disk = createCase()
      const memory = disk.ops
      const faulty = faultyOps(memory, { at, fault: 'crash', code: CRASH })
      try {
        fill(disk, PATH, faulty)
      } catch (e) {
        if (![CRASH, 'IO_FAILED', 'APPEND_UNKNOWN', 'APPEND_REFUSED', 'APPEND'].includes(errorCode(e))) throw e
      }
      for (const choose of [KEEP_NOTHING, KEEP_ALL]) {
        const ops = memory.crash(choose)
        const digests = records(ops).flatMap((record) =>
          [...JSON.stringify(record).matchAll(/"\$sd":"([\w-]{43})"/g)].map(([, digest]) => digest),
        )
        const rows = ops.readdir(`${PATH}/vault`).flatMap((name) => (ops.content(`${PATH}/vault/${name}`) ?? '').toString().split('\n'))
        const kept = new Set(rows.map((row) => parseRow(row)?.digest))
        assert.deepEqual(
          digests.filter((digest) => !kept.has(digest)),
          [],
          `step ${at}`,
        )
      }
    }
  })

  it('half a row at the end of a file is cut before the next one', () => {
    const disk = createCase()
    const ledger = fill(disk, PATH)
    const [name] = disk.ops.readdir(`${PATH}/vault`)
    const fd = disk.ops.open(`${PATH}/vault/${name}`, 'append')
    disk.ops.write(fd, Buffer.from('{"digest":"half'))
    disk.ops.close(fd)
    acked(ledger.append([committed(disk.ops, ledger, 60, 'alice', 'Chur')])[0])
    const lines = disk.ops.content(`${PATH}/vault/${name}`)?.toString().split('\n') ?? []
    assert.equal(lines.slice(0, -1).filter((line) => parseRow(line) === undefined).length, 0)
    assert.equal(plan(disk, PATH, 'alice').rows, 4)
  })

  it('a full disk: the event is refused or unknown, never a line without its row', () => {
    const disk = createCase()
    const ledger = fill(disk, PATH)
    const event = committed(disk.ops, ledger, 70, 'alice', 'Thun')
    ledger.close()
    const ops: FileOps = {
      ...disk.ops,
      open(path, mode) {
        if (path.includes('/vault/')) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        return disk.ops.open(path, mode)
      },
    }
    const full = disk.open({ fileOps: ops })
    assert.notEqual(outcome(full.append([event])[0]), 'ack')
    assert.ok(!records(disk.ops).some(({ event_id: id }) => id === event.eventId))
  })

  it('an event that is sent again leaves no second row', () => {
    const disk = createCase()
    const ledger = fill(disk, PATH)
    const event = committed(createPageCache(), ledger, 80, 'carol', 'Olten')
    assert.equal(acked(ledger.append([event])[0]).seq, acked(ledger.append([event])[0]).seq)
    assert.equal(plan(disk, PATH, 'carol').rows, 1)
    const rows = disk.ops
      .readdir(`${PATH}/vault`)
      .flatMap((name) => (disk.ops.content(`${PATH}/vault/${name}`) ?? '').toString().trimEnd().split('\n'))
    assert.equal(rows.length, 6)
  })
})
