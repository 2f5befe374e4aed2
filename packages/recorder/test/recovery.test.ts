import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatCheckpoint, GENESIS, SwornError } from '@sworn/verify'
import { CRASH, faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { createPageCache, KEEP_ALL, KEEP_NOTHING, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { writeAll } from '../src/ledger/files.ts'
import { adopt, previousLog } from '../src/ledger/operator.ts'
import { decide } from '../src/ledger/recovery.ts'
import { scanSegment } from '../src/ledger/scan.ts'
import { loadKeyFile, signNote } from '../src/signers/signer.ts'
import { acked, type Case, createCase, findings, HOME, item, outcome, PATH, records, tickAll, verify } from './support/ledger-case.ts'

const SEGMENT = `${PATH}/segments/00000000000000000000.jsonl`
const code = (wanted: string) => (e: unknown) => SwornError.is(e) && e.code === wanted

function put(ops: PageCache, path: string, bytes: Uint8Array): void {
  if (ops.stat(path)) ops.unlink(path)
  const fd = ops.open(path, 'append')
  writeAll(ops, fd, bytes)
  ops.close(fd)
}

function content(disk: Case, path = SEGMENT): Buffer {
  return Buffer.from(disk.ops.content(path) ?? Buffer.alloc(0))
}

/** A closed ledger of ten events, signed up to its log.stop. */
function closedCase(): Case {
  const disk = createCase()
  const ledger = disk.open()
  for (let n = 0; n < 10; n++) ledger.append([item(n, 'sync')])
  ledger.close()
  return disk
}

const shared = process.env.SWORN_VECTORS ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url))
const own = `${shared}/tlog/own`

describe('the decision table', () => {
  if (!existsSync(`${own}/recovery.json`)) {
    console.log('recovery vectors not found: set SWORN_VECTORS')
    it.skip('agrees with recovery.json')
    return
  }
  const { cases } = JSON.parse(readFileSync(`${own}/recovery.json`, 'utf8'))
  const log = readFileSync(`${own}/log-sha256.jsonl`)
  it('is asked 21 times', () => assert.equal(cases.length, 21))
  for (const row of cases) {
    it(`says ${row.expect} for: ${row.desc}`, () => {
      const ops = createPageCache()
      put(
        ops,
        '/log',
        Buffer.concat([log.subarray(0, row.keep_bytes), Buffer.from(row.append_b64, 'base64'), Buffer.alloc(row.append_zeros)]),
      )
      const end = scanSegment(ops, '/log', { seq: 0, previousHash: GENESIS, offset: 0 }, 'sha256', () => undefined)
      const eof = ops.stat('/log')?.size ?? 0
      const verdict = decide({ good: end.seq, end: end.offset, eof, signedSize: row.signed_size, rootHolds: true, earlierHold: true })
      assert.equal(verdict, row.expect)
      assert.equal(end.seq, row.good_records)
      if (verdict === 'recover-torn') assert.equal(end.offset, row.truncate_to)
    })
  }
})

describe('opening again', () => {
  it('puts a torn tail aside, says so, and goes on', async () => {
    const disk = closedCase()
    const whole = content(disk)
    put(disk.ops, SEGMENT, Buffer.concat([whole, Buffer.from('{"timestamp":"2026'), Buffer.alloc(100)]))
    const ledger = disk.open()
    const recovered = records(disk.ops).find((record) => record.event_type === 'log.recovered')
    assert.equal(recovered?.discarded_bytes, 118)
    assert.equal(recovered?.severity, 'error')
    assert.equal(disk.ops.content(`${PATH}/quarantine/${recovered?.quarantine}`)?.length, 118)
    ledger.append([item(50, 'sync')])
    ledger.close()
    const report = await verify(disk.ops)
    assert.deepEqual(findings(report), [])
    assert.deepEqual(
      report.findings.map((finding) => finding.class),
      ['recovered'],
    )
  })

  it('calls a discarded tail critical when it holds whole lines', () => {
    const disk = closedCase()
    const lines = content(disk).toString('utf8').split('\n')
    put(disk.ops, SEGMENT, Buffer.concat([content(disk), Buffer.from(`${lines[3]}\n`)]))
    disk.open()
    const recovered = records(disk.ops).find((record) => record.event_type === 'log.recovered')
    assert.deepEqual([recovered?.severity, recovered?.discarded_lines, recovered?.discarded_valid_lines], ['critical', 1, 1])
  })

  it('says what it put aside even when the power goes before that is on disk, at any step', () => {
    const torn = createCase()
    torn.open().append([item(1, 'sync')])
    put(torn.ops, SEGMENT, Buffer.concat([content(torn), Buffer.from('{"torn')]))
    const disk = () => torn.ops.crash(KEEP_ALL)
    const counting = faultyOps(disk(), { at: -1, fault: 'crash', code: CRASH })
    torn.open({ fileOps: counting })
    for (let at = 0; at < counting.steps.length; at++) {
      for (const choose of [KEEP_ALL, KEEP_NOTHING]) {
        const memory = disk()
        assert.throws(() => torn.open({ fileOps: faultyOps(memory, { at, fault: 'crash', code: CRASH }) }))
        const survivor = createCase('after', memory.crash(choose), torn.time + 1000)
        survivor.open()
        const named = records(survivor.ops).flatMap((record) => (record.event_type === 'log.recovered' ? [record.quarantine] : []))
        const newest = survivor.ops
          .readdir(`${PATH}/quarantine`)
          .filter((name) => name.endsWith('.bin'))
          .toSorted()
          .at(-1)
        assert.ok(newest !== undefined && named.includes(newest), `step ${at}`)
        assert.equal(new Set(named).size, named.length, `step ${at}`)
      }
    }
  })

  it('cuts what a crash left of a last line or note in the files beside the log', () => {
    const disk = createCase()
    const ledger = disk.open({ rotateBytes: 1500 })
    for (let n = 0; n < 9; n++) ledger.append([item(n, 'sync')])
    tickAll(disk, ledger)
    ledger.close()
    for (const [name, half] of [
      ['reserved.jsonl', '{"half'],
      ['checkpoints.log', '200\nsworn.local/'],
      ['segments/SHA256SUMS', '0123456789abcdef'],
    ]) {
      const path = `${PATH}/${name}`
      const whole = content(disk, path)
      put(disk.ops, path, Buffer.concat([whole, Buffer.from(half ?? '')]))
      const again = disk.open()
      again.tick()
      const now = content(disk, path)
      assert.equal(now.includes(half ?? ''), false, name)
      assert.deepEqual(now.subarray(0, whole.length), whole, name)
    }
  })

  it('ignores a note in the ledger that does not hold, and says so', () => {
    const disk = closedCase()
    put(disk.ops, `${PATH}/checkpoint`, Buffer.from(content(disk, `${PATH}/checkpoint`).toString().replace('\n13\n', '\n99\n')))
    put(disk.ops, `${PATH}/.state/signed`, Buffer.from('x'))
    disk.open()
    assert.deepEqual(records(disk.ops).at(-1)?.state_invalid, [`${PATH}/.state/signed`, `${PATH}/checkpoint`])
    assert.match(content(disk, `${PATH}/checkpoint`).toString(), /\n13\n/)
  })

  it('refuses two roots that were signed for one size: fork', () => {
    const disk = closedCase()
    const { logId, origin } = disk.open().info
    const signer = loadKeyFile(disk.ops, `${HOME}/keys/${logId}/0.pem`, origin)
    const other = signNote(formatCheckpoint({ origin, size: 13, root: new Uint8Array(32) }), [signer])
    put(disk.ops, `${PATH}/checkpoint`, Buffer.from(other))
    assert.throws(() => disk.open(), code('LEDGER_FORK'))
  })

  it('refuses a log that is shorter than what was signed: rollback', () => {
    const disk = closedCase()
    put(disk.ops, SEGMENT, content(disk).subarray(0, content(disk).indexOf(10, 2000) + 1))
    assert.throws(() => disk.open(), code('LEDGER_ROLLBACK'))
  })

  it('refuses a tail cut at a line border above the newest checkpoint, when it was synced: acknowledged_lost', () => {
    const disk = createCase()
    const ledger = disk.open()
    disk.time += 1000
    tickAll(disk, ledger)
    disk.time += 1001 // late enough that the signer's `head` is rewritten
    for (let n = 0; n < 5; n++) ledger.append([item(n, 'sync')])
    disk.time += 20
    ledger.tick()
    const whole = content(disk)
    put(disk.ops, SEGMENT, whole.subarray(0, whole.lastIndexOf(10, whole.length - 2) + 1))
    const files = () => disk.ops.paths().map((path) => [path, content(disk, path).toString('latin1')])
    const before = files()
    assert.throws(() => disk.open(), code('ACKNOWLEDGED_LOST'))
    assert.deepEqual(files(), before, 'nothing is written, nothing is cut')
  })

  it('refuses, and changes nothing, when whoever opens was promised a record that is not there', () => {
    const disk = createCase()
    const ledger = disk.open()
    const [ack] = ledger.append([item(1, 'sync')])
    const promised = acked(ack)
    disk.open({ acknowledged: promised })
    const before = content(disk)
    for (const wrong of [{ logId: 'A'.repeat(22) }, { entryHash: 'a'.repeat(64) }, { seq: 1 }, { seq: 999 }]) {
      assert.throws(() => disk.open({ acknowledged: { ...promised, ...wrong } }), code('ACKNOWLEDGED_LOST'), JSON.stringify(wrong))
    }
    assert.throws(() => disk.open({ path: '/elsewhere', acknowledged: promised }), code('ACKNOWLEDGED_LOST'))
    assert.deepEqual(content(disk), before)
    assert.equal(disk.ops.stat('/elsewhere'), undefined)
  })

  it('refuses other records under the signed size: fork', () => {
    const disk = closedCase()
    const other = createCase('other')
    const forged = other.open({ origin: 'x' })
    for (let n = 0; n < 30; n++) forged.append([item(n, 'sync')])
    forged.close()
    const lines = content(disk).toString('utf8').split('\n')
    const first = `${lines[0]}\n`
    // the same log.open, then a chain of other records: re-hashed by whoever has no key
    put(disk.ops, SEGMENT, Buffer.from(rehash([first.trim(), ...content(other).toString('utf8').split('\n').slice(1, -1)])))
    assert.throws(() => disk.open(), code('LEDGER_FORK'))
  })

  it('refuses damage beyond a crash: corrupt', () => {
    const disk = closedCase()
    put(disk.ops, SEGMENT, Buffer.concat([content(disk), Buffer.alloc((8 << 20) + 1)]))
    assert.throws(() => disk.open(), code('LEDGER_CORRUPT'))
  })

  it('refuses damage in an earlier segment when it looks there, and finds it in the background in the active one', () => {
    const disk = createCase()
    const ledger = disk.open()
    for (let n = 0; n < 20; n++) ledger.append([item(n, 'sync')])
    ledger.close()
    const bytes = content(disk)
    bytes.writeUInt8(bytes.readUInt8(2000) ^ 1, 2000)
    put(disk.ops, SEGMENT, bytes)
    const again = disk.open()
    tickAll(disk, again)
    assert.equal(outcome(again.append([item(99)])[0]), 'LEDGER_CORRUPT')
  })

  it('refuses without the signer state: state_missing, never size 0', () => {
    for (const name of ['signed', '0.pem', 'mac']) {
      const disk = closedCase()
      const { logId } = disk.open().info
      disk.ops.unlink(`${HOME}/keys/${logId}/${name}`)
      assert.throws(() => disk.open(), code('LEDGER_STATE_MISSING'), name)
    }
  })

  it('refuses an empty directory where a ledger was: rollback', () => {
    const disk = closedCase()
    for (const path of disk.ops.paths()) if (path.startsWith(`${PATH}/`)) disk.ops.unlink(path)
    assert.throws(() => disk.open(), code('LEDGER_ROLLBACK'))
  })

  it('refuses to make a ledger when one is required to exist', () => {
    assert.throws(() => createCase().open({ requireExisting: true }), code('LEDGER_NOT_FOUND'))
  })

  it('refuses a copy while the original is there, takes it as moved when it is not', () => {
    const disk = closedCase()
    for (const path of disk.ops.paths()) if (path.startsWith(`${PATH}/`)) copyTo(disk, path, path.replace(PATH, '/copy'))
    assert.throws(() => disk.open({ path: '/copy' }), code('LEDGER_COPIED'))
    for (const path of disk.ops.paths()) if (path.startsWith(`${PATH}/`)) disk.ops.unlink(path)
    disk.open({ path: '/copy' })
    assert.equal(records(disk.ops, '/copy').at(-1)?.moved_from, PATH)
  })

  it('rewrites everything derivable that is missing or wrong', async () => {
    for (const victim of [
      'tree/L0',
      'index/00000000000000000000.off',
      'index/ids',
      'index/sessions',
      'checkpoint',
      '.state/signed',
      'reserved.jsonl',
    ]) {
      for (const damage of ['gone', 'zeros', 'cut']) {
        const disk = createCase()
        const ledger = disk.open()
        for (let n = 0; n < 10; n++) ledger.append([item(n, 'sync', { session_id: 's' })])
        ledger.close()
        const before = content(disk, `${PATH}/${victim}`)
        disk.ops.unlink(`${PATH}/${victim}`)
        if (damage === 'zeros') put(disk.ops, `${PATH}/${victim}`, Buffer.alloc(before.length))
        if (damage === 'cut') put(disk.ops, `${PATH}/${victim}`, before.subarray(0, before.length / 2))
        const again = disk.open()
        assert.equal(acked(again.append([item(3, 'sync', { session_id: 's' })])[0]).seq, 5, `${victim} ${damage}`)
        again.append([item(100, 'sync', { session_id: 's' })])
        again.close()
        assert.deepEqual(findings(await verify(disk.ops)), [], `${victim} ${damage}`)
        const tree = disk.ops.content(`${PATH}/tree/L0`)
        assert.equal(tree?.length, again.size * 32)
      }
    }
  })

  const wrongOffsets: [string, (rows: Buffer) => Buffer][] = [
    ['that are zero', (rows) => Buffer.concat([Buffer.alloc(rows.length - 4), rows.subarray(-4)])],
    ['that lead to the next record', (rows) => Buffer.concat([rows.subarray(4), rows.subarray(-4)])],
    ['that lead to the record before', (rows) => Buffer.concat([rows.subarray(0, 4), rows.subarray(0, -8), rows.subarray(-4)])],
  ]
  for (const [what, spoil] of wrongOffsets) {
    it(`finds records although a power cut left offsets in the middle of a closed segment ${what}`, () => {
      const disk = createCase()
      const ledger = disk.open({ rotateBytes: 4000 })
      const acks = Array.from({ length: 12 }, (_, n) => acked(ledger.append([item(n, 'sync', { session_id: 's' })])[0]))
      ledger.close()
      const offsets = `${PATH}/index/00000000000000000000.off`
      const rows = content(disk, offsets)
      put(disk.ops, offsets, spoil(rows))
      put(disk.ops, `${PATH}/index/ids`, content(disk, `${PATH}/index/ids`).subarray(0, 3 * 60))
      disk.ops.unlink(`${PATH}/index/sessions`)
      const again = disk.open({ rotateBytes: 4000 })
      for (const [n, ack] of acks.entries()) {
        assert.equal(again.holds(ack.seq, ack.entryHash), true, `seq ${ack.seq}`)
        assert.equal(acked(again.append([item(n, 'sync', { session_id: 's' })])[0]).seq, ack.seq, `event ${n}`)
      }
      again.append([item(50, 'sync', { session_id: 's' })])
      assert.equal(records(disk.ops).at(-1)?.session_seq, 12)
    })
  }

  it('opens without the place that the newest checkpoint left, and with a wrong one', () => {
    for (const text of [undefined, '', '{}', '{"size":1,"first_seq":0,"offset":5,"previous_hash":"x","hashes":[]}']) {
      const disk = closedCase()
      const { logId } = disk.open().info
      const path = `${HOME}/keys/${logId}/frontier`
      disk.ops.unlink(path)
      if (text !== undefined) put(disk.ops, path, Buffer.from(text))
      disk.open().close()
    }
  })

  it('opens an older copy never as if nothing had happened', () => {
    const disk = createCase()
    const ledger = disk.open()
    ledger.append([item(1, 'sync')])
    ledger.close()
    const backup = new Map(
      disk.ops
        .paths()
        .filter((path) => path.startsWith(`${PATH}/`))
        .map((path) => [path, content(disk, path)]),
    )
    const later = disk.open()
    later.append([item(2, 'sync')])
    later.close()
    for (const [path, bytes] of backup) put(disk.ops, path, bytes)
    assert.throws(() => disk.open(), code('LEDGER_ROLLBACK'))
  })
})

describe('an operator', () => {
  it('begins a successor that names the damaged log and its last good checkpoint', async () => {
    const disk = closedCase()
    for (const path of disk.ops.paths()) if (path.startsWith(`${PATH}/`)) copyTo(disk, path, path.replace(PATH, '/aside'))
    const options = { path: '/aside', home: HOME, fileOps: disk.ops }
    const previous = previousLog(options, 'disk failed')
    for (const path of disk.ops.paths()) if (path.startsWith(`${PATH}/`)) disk.ops.unlink(path)
    assert.throws(() => disk.open(), code('LEDGER_ROLLBACK'))
    disk.open({ previousLog: previous }).close()
    const [opening] = records(disk.ops)
    assert.deepEqual(opening?.previous_log, previous)
    assert.equal(previous.size, 13)
    assert.deepEqual(findings(await verify(disk.ops)), [])
  })

  it('adopts a ledger whose signer state is gone, from the newest checkpoint in it', () => {
    const disk = closedCase()
    const { logId } = disk.open().info
    disk.ops.unlink(`${HOME}/keys/${logId}/signed`)
    assert.throws(() => disk.open(), code('LEDGER_STATE_MISSING'))
    assert.equal(adopt({ path: PATH, home: HOME, fileOps: disk.ops }), 13)
    disk.open().close()
    disk.ops.unlink(`${HOME}/keys/${logId}/0.pem`)
    assert.throws(() => adopt({ path: PATH, home: HOME, fileOps: disk.ops }), code('LEDGER_STATE_MISSING'))
  })
})

function copyTo(disk: Case, from: string, to: string): void {
  disk.ops.mkdir(to.slice(0, to.lastIndexOf('/')))
  put(disk.ops, to, content(disk, from))
}

/** Chains the payloads anew. */
function rehash(lines: readonly string[]): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  let previous = GENESIS
  return lines
    .map((line, seq) => {
      const preimage = `${line.slice(0, line.lastIndexOf(',"seq":'))},"seq":${seq},"previous_hash":"${previous}"`
      previous = createHash('sha256').update(preimage).digest('hex')
      return `${preimage},"entry_hash":"${previous}"}\n`
    })
    .join('')
}
