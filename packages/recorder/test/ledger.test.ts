import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createFrontier, equalBytes, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { createPageCache } from '../../../testkit/src/fault/page-cache.ts'
import { later } from '../../../testkit/src/suite.ts'
import { admit } from '../src/ledger/admit.ts'
import type { Core } from '../src/ledger/core.ts'
import { eventKey, openDedupe, readIds } from '../src/ledger/dedupe.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import { createSessions, parseSessions } from '../src/ledger/sessions.ts'
import { frontierFromFiles } from '../src/ledger/tree-files.ts'
import { acked, createCase, findings, item, logBytes, outcome, PATH, records, tickAll, verify } from './support/ledger-case.ts'
import { temporaryDirectory } from './support/temporary.ts'

describe('a ledger', () => {
  it('opens, appends, closes and reopens on a real disk, keys 0600 and outside of it', () => {
    const directory = temporaryDirectory()
    const options = { path: join(directory, 'audit'), home: join(directory, 'home') }
    const first = openLedger(options)
    const ack = acked(first.append([item(1, 'sync')])[0])
    assert.equal(ack.durable, true)
    first.close()
    const second = openLedger(options)
    assert.equal(second.holds(ack.seq, ack.entryHash), true)
    assert.equal(second.info.logId, first.info.logId)
    second.close()
    const keyFile = join(options.home, 'keys', first.info.logId, '0.pem')
    assert.equal(statSync(keyFile).mode & 0o777, 0o600)
    assert.match(readFileSync(keyFile, 'utf8'), /BEGIN PRIVATE KEY/)
  })

  for (const hash of ['sha256', 'sha3-256'] as const) {
    for (const recordSignatures of ['none', 'all'] as const) {
      it(`with ${hash} and record signatures ${recordSignatures} is what the verifier accepts, over restarts and rotation`, async () => {
        const disk = createCase()
        for (let round = 0; round < 3; round++) {
          const ledger = disk.open({ hash, recordSignatures, rotateBytes: 4000 })
          for (let n = 0; n < 10; n++) ledger.append([item(round * 100 + n, n % 3 ? 'batch' : 'sync', { session_id: 's-1' })])
          disk.time += 1500
          tickAll(disk, ledger)
          ledger.close()
        }
        const report = await verify(disk.ops)
        assert.deepEqual(findings(report), [])
        assert.equal(report.levels.signed.holds, true)
        assert.equal(report.levels.signed.size, report.size - 1, 'only the in-band copy of the last checkpoint lies above it')
      })
    }
  }

  it('writes what the second verifier accepts, over rotation and both hashes', { skip: later }, (t) => {
    const python = spawnSync('python3', ['--version'])
    if (python.status !== 0) return t.skip('python3 is not here')
    for (const hash of ['sha256', 'sha3-256'] as const) {
      const disk = createCase()
      const ledger = disk.open({ hash, rotateBytes: 3000 })
      for (let n = 0; n < 10; n++) ledger.append([item(n, 'sync')])
      ledger.close()
      const log = logBytes(disk.ops)
      const second = (input: Buffer) =>
        spawnSync('python3', [fileURLToPath(new URL('../../../vectors/verify.py', import.meta.url))], { input }).status
      assert.equal(second(log), 0)
      log.writeUInt8(log.readUInt8(700) ^ 1, 700)
      assert.equal(second(log), 1)
    }
  })

  it('begins with log.open and log.start, ends with log.stop and the checkpoint over it', () => {
    const disk = createCase()
    disk.open().close()
    const types = records(disk.ops).map((record) => record.event_type)
    assert.deepEqual(types, ['log.open', 'log.start', 'log.stop', 'log.checkpoint'])
    disk.open()
    assert.deepEqual(records(disk.ops).at(-1)?.previous_stop, 'clean')
  })

  it('says at its start what looks for secrets', () => {
    const disk = createCase()
    const scanner = { name: 'none', version: '1', hash: `sha256:${'0'.repeat(64)}` }
    disk.open({ scanner })
    assert.deepEqual(records(disk.ops).at(-1)?.scanner, scanner)
  })

  it('says that the last writer did not stop', () => {
    const disk = createCase()
    disk.open().append([item(1, 'sync')])
    disk.open()
    assert.equal(records(disk.ops).at(-1)?.previous_stop, 'unclean')
  })

  it('acknowledges a batch event when it is written, a sync event and all before it when they are on disk', () => {
    const ledger = createCase().open()
    const [one] = ledger.append([item(1)])
    assert.equal(acked(one).durable, false)
    assert.ok(ledger.unsyncedBytes > 0)
    assert.equal(acked(ledger.append([item(2, 'sync')])[0]).durable, true)
    assert.equal(ledger.durableSize, ledger.size)
    assert.equal(ledger.unsyncedBytes, 0)
  })

  it('never leaves more than 4 MiB and a line unsynced', () => {
    const ledger = createCase().open()
    const big = 'x'.repeat(60_000)
    const items = Array.from({ length: 200 }, (_, n) => item(n, 'batch', { result: big }))
    assert.ok(ledger.append(items).every((answer) => outcome(answer) === 'ack'))
    assert.ok(ledger.unsyncedBytes <= (4 << 20) + (1 << 20))
    assert.ok(ledger.durableSize > 100)
  })

  it('numbers sessions and producers over restarts and past a session_end', async () => {
    const disk = createCase()
    const first = disk.open()
    first.append([item(1, 'batch', { session_id: 's' }), item(2, 'batch', { session_id: 's' })])
    first.append([item(3, 'batch', { session_id: 's', event_type: 'session_end', metadata: { stats: { denied: 0 } } })])
    first.close()
    const second = disk.open()
    second.append([item(4, 'sync', { session_id: 's' })])
    const ours = records(disk.ops).filter((record) => record.session_id === 's')
    assert.deepEqual(
      ours.map((record) => [record.session_seq, record.producer_seq]),
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    )
    assert.deepEqual(ours[2]?.metadata, { stats: { denied: 0 }, count: 3 })
    assert.deepEqual(findings(await verify(disk.ops)), [])
  })

  it('ends a session that had no record for a day', () => {
    const disk = createCase()
    const ledger = disk.open()
    ledger.append([item(1, 'batch', { session_id: 's' })])
    disk.time += 86_400_001
    assert.ok(ledger.nextTickAt() <= disk.time)
    tickAll(disk, ledger)
    const end = records(disk.ops).find((record) => record.event_type === 'session_end')
    assert.deepEqual([end?.session_seq, end?.metadata], [1, { reason: 'idle', count: 2 }])
  })

  const refused: [string, string][] = [
    ['a reserved member', '{"event_type":"a","seq":1}'],
    ['a reserved member spelled with an escape', '{"event_type":"a","\\u0073eq":1}'],
    ['a session_seq of its own', '{"event_type":"a","session_seq":1}'],
    ['a reserved event_type', '{"event_type":"log.open"}'],
    ['a reserved event_type hidden behind a second one', '{"event_type":"log.open","event_type":"a"}'],
    ['an empty object', '{}'],
    ['a line feed', '{"event_type":\n"a"}'],
    ['an array', '["a"]'],
    ['more than a line may hold', `{"a":"${'x'.repeat(1 << 20)}"}`],
  ]
  for (const [what, json] of refused) {
    it(`refuses ${what} and writes nothing`, () => {
      const ledger = createCase().open()
      const size = ledger.size
      assert.equal(outcome(ledger.append([{ ...item(1), json }])[0]), 'APPEND_REFUSED')
      assert.equal(ledger.size, size)
    })
  }

  it('parses bodies of other processes whole', () => {
    const ledger = createCase().open()
    for (const json of ['{"a":}', '{"a":1,"a":2}', '{"a":{"b":1,"b":2}}', `{"a":${'['.repeat(70)}${']'.repeat(70)}}`]) {
      assert.equal(outcome(ledger.append([{ ...item(1), json, untrusted: true }])[0]), 'APPEND_REFUSED')
    }
  })

  it('is full before a seq needs more than 53 bits', () => {
    const full = { size: Number.MAX_SAFE_INTEGER - (1 << 20) } as Core // nothing else of it is asked for
    assert.equal(outcome(admit(full, item(1)) as SwornError), 'APPEND_REFUSED')
  })

  it('never takes a segment size that its offsets cannot count', () => {
    assert.throws(
      () => createCase().open({ rotateBytes: 2 ** 31 + 1 }),
      (e) => SwornError.is(e, 'CONFIG_INVALID'),
    )
  })

  it('finds a session among 100,000, forgets those that ended first, and looks at none to know the oldest', () => {
    const sessions = createSessions()
    const note = (id: string, ends: boolean) => sessions.note({ sessionId: id, sessionSeq: 4, ends, at: Number(id) })
    for (let n = 0; n < 100_000; n++) note(String(n), n % 2 === 0)
    for (let n = 100_000; n < 100_010; n++) note(String(n), false)
    assert.deepEqual([sessions.count(), sessions.oldest()], [100_000, 1])
    assert.deepEqual([sessions.next('1'), sessions.next('0'), sessions.next('18'), sessions.next('20')], [5, 0, 0, 5])
    assert.deepEqual(sessions.idle(6), ['1', '3', '5'])
    const again = createSessions(parseSessions(JSON.stringify(sessions.snapshot(7))))
    assert.deepEqual([again.count(), again.oldest(), again.next('20')], [100_000, 1, 5])
  })

  it('keeps flat tile files whose frontier gives the signed root', () => {
    const disk = createCase()
    const ledger = disk.open()
    ledger.append(Array.from({ length: 600 }, (_, n) => item(n)))
    ledger.close()
    const size = ledger.size
    const stored = frontierFromFiles(disk.ops, nodePrimitives, `${PATH}/tree`, size)
    const frontierOf = (leaves: Buffer) => {
      const frontier = createFrontier(nodePrimitives)
      for (let at = 0; at < leaves.length; at += 32) frontier.push(leaves, at)
      return frontier
    }
    const expected = frontierOf(disk.ops.content(`${PATH}/tree/L0`)!.subarray(0, size * 32))
    assert.ok(stored && equalBytes(stored.root(), expected.root()))
    const again = disk.open() // goes on in the middle of a tile
    again.append(Array.from({ length: 600 }, (_, n) => item(1000 + n)))
    again.close()
    assert.ok(frontierFromFiles(disk.ops, nodePrimitives, `${PATH}/tree`, again.size))
    const tiles = Buffer.concat(
      [0, 1, 2, 3].map((tile) => frontierOf(disk.ops.content(`${PATH}/tree/L0`)!.subarray(tile * 256 * 32, (tile + 1) * 256 * 32)).root()),
    )
    assert.deepEqual(disk.ops.content(`${PATH}/tree/L1`), tiles)
  })

  it('shares token buckets in call order', () => {
    const disk = createCase()
    const ledger = disk.open()
    const step = { key: 'k', amount: 1, limit: 2, perMs: 1000 }
    assert.deepEqual(
      [ledger.reserve(step), ledger.reserve(step)].map((r) => r.granted),
      [true, true],
    )
    assert.deepEqual(ledger.reserve(step), { granted: false, retryAfterMs: 500 })
    disk.time += 500
    assert.equal(ledger.reserve(step).granted, true)
  })

  it('refuses everything after it was closed', () => {
    const ledger = createCase().open()
    ledger.close()
    ledger.close()
    assert.equal(outcome(ledger.append([item(1)])[0]), 'LEDGER_CLOSED')
  })
})

describe('checkpoints', () => {
  it('are signed 1 s after the first record, sooner after 1,000, never sooner than 200 ms apart', () => {
    const disk = createCase()
    const ledger = disk.open()
    const count = () => records(disk.ops).filter((record) => record.event_type === 'log.checkpoint').length
    disk.time += 999
    tickAll(disk, ledger)
    assert.equal(count(), 0)
    disk.time += 1
    tickAll(disk, ledger)
    assert.equal(count(), 1)
    ledger.append(Array.from({ length: 1000 }, (_, n) => item(n)))
    disk.time += 199
    tickAll(disk, ledger)
    assert.equal(count(), 1)
    disk.time += 1
    tickAll(disk, ledger)
    assert.equal(count(), 2)
  })

  it('are signed beside the commits: one wait for the disk a step, events in between, the copies last', async () => {
    const disk = createCase()
    const ops = faultyOps(disk.ops, { at: -1, fault: 'failed', code: '' })
    const ledger = disk.open({ fileOps: ops })
    disk.time += 1000
    const published = () => Number(disk.ops.content(`${PATH}/checkpoint`)?.toString().split('\n')[1])
    let steps = 0
    for (; published() === 0; steps++) {
      const from = ops.steps.length
      ledger.tick()
      const waits = ops.steps.slice(from).filter((step) => ['fdatasync', 'fsync', 'syncDirectory'].includes(step))
      assert.ok(waits.length <= 1, waits.join())
      assert.equal(acked(ledger.append([item(steps, 'sync')])[0]).durable, true)
    }
    assert.ok(steps > 2, `${steps} steps`)
    ledger.close()
    assert.deepEqual(findings(await verify(disk.ops)), [])
  })

  it('and everything else that waits for a moment does not wait for a clock that was set back', () => {
    const disk = createCase()
    const ledger = disk.open()
    ledger.append([item(1, 'sync')])
    disk.time -= 3_600_000
    assert.ok(ledger.nextTickAt() <= disk.time + 1000)
    disk.time += 1000
    tickAll(disk, ledger)
    assert.equal(records(disk.ops).at(-1)?.event_type, 'log.checkpoint')
  })

  it('are not repeated in the log while nothing happens', () => {
    const disk = createCase()
    const ledger = disk.open()
    disk.time += 1000
    tickAll(disk, ledger)
    const size = ledger.size
    disk.time += 3_600_000
    tickAll(disk, ledger)
    assert.equal(ledger.size, size)
  })
})

describe('sending an event again', () => {
  it('gives the first answer, once that is on disk, and writes nothing; also after a restart', () => {
    const disk = createCase()
    const ledger = disk.open()
    const first = acked(ledger.append([item(1)])[0])
    const size = ledger.size
    const again = acked(ledger.append([item(1)])[0])
    assert.deepEqual([again.seq, again.entryHash, again.durable, ledger.size], [first.seq, first.entryHash, true, size])
    const reopened = disk.open()
    assert.equal(acked(reopened.append([item(1)])[0]).seq, first.seq)
    reopened.close()
    assert.equal(acked(disk.open().append([item(1)])[0]).seq, first.seq)
  })

  it('works for a session_end, whose count the ledger adds', () => {
    const disk = createCase()
    const ledger = disk.open()
    const end = item(1, 'sync', { session_id: 's', event_type: 'session_end' })
    const { seq } = acked(ledger.append([end])[0])
    assert.equal(acked(ledger.append([end])[0]).seq, seq)
    assert.equal(acked(disk.open().append([end])[0]).seq, seq)
  })

  it('is known for the last 100,000 events, over a restart too, and recorded again beyond', { skip: later }, () => {
    const ops = createPageCache()
    ops.mkdir('/index')
    const dedupe = openDedupe(ops, '/index', readIds(ops, '/index', 0))
    const seen = (n: number) => ({ seq: n, entryHash: n.toString(16).padStart(64, '0') })
    for (let n = 0; n < 100_003; n++) dedupe.note(eventKey('p', String(n)), seen(n))
    dedupe.flush()
    const stored = readIds(ops, '/index', 100_003)
    for (const table of [dedupe, openDedupe(ops, '/index', stored)]) {
      for (const n of [3, 50_000, 100_002]) assert.deepEqual(table.find(eventKey('p', String(n))), seen(n))
      for (const n of [0, 2]) assert.equal(table.find(eventKey('p', String(n))), undefined)
    }
    assert.equal(stored.from, 100_003)
  })

  it('of another producer is another event', () => {
    const ledger = createCase().open()
    const [one, two] = ledger.append([item(1, 'sync'), { ...item(1, 'sync'), producerId: 'p2' }])
    assert.notEqual(acked(one).seq, acked(two).seq)
  })

  it('with another content is refused and recorded as an alert', () => {
    const disk = createCase()
    const ledger = disk.open()
    const { seq } = acked(ledger.append([item(1)])[0])
    assert.equal(outcome(ledger.append([item(1, 'batch', { target: 'other' })])[0]), 'EVENT_ID_CONFLICT')
    const alert = records(disk.ops).at(-1)
    assert.deepEqual(
      [alert?.event_type, alert?.metadata],
      ['security_alert', { rule: 'event_id_conflict', evidence: [seq], producer_id: 'p1' }],
    )
    assert.equal(outcome(disk.open().append([item(1, 'sync', { target: 'third' })])[0]), 'EVENT_ID_CONFLICT', 'after a restart too')
  })
})
