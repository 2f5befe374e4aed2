import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { parseHex, parseVkey, SwornError, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { openLedger } from '../src/ledger/ledger.ts'
import {
  acked,
  type Case,
  createCase,
  FILE,
  findings,
  item,
  logBytes,
  logFiles,
  outcome,
  PATH,
  records,
  tickAll,
  verify,
} from './support/ledger-case.ts'
import { temporaryDirectory } from './support/temporary.ts'

const D = `${FILE}.ledger`
const code = (wanted: string) => (e: unknown) => SwornError.is(e) && e.code === wanted
const fill = (from: number, count: number) => Array.from({ length: count }, (_, n) => item(from + n, 'sync'))

function put(disk: Case, path: string, bytes: Uint8Array): void {
  if (disk.ops.stat(path)) disk.ops.unlink(path)
  const fd = disk.ops.open(path, 'append')
  disk.ops.write(fd, bytes)
  disk.ops.close(fd)
}

for (const path of [PATH, FILE]) {
  describe(`own rotation (${path})`, () => {
    it('goes on in a new segment by size and by age; one chain, each segment checkable alone', async () => {
      const disk = createCase()
      const ledger = disk.open({ path, rotateBytes: 3000 })
      for (let n = 0; n < 12; n++) ledger.append([item(n, 'sync')])
      disk.time += 86_400_001
      tickAll(disk, ledger)
      ledger.close()
      const files = logFiles(disk.ops, path)
      assert.ok(files.length >= 3, `${files.length} files`)
      assert.deepEqual(findings(await verify(disk.ops, path)), [])
      const opening = records(disk.ops, path)[0]
      const last = await verifyLog([disk.ops.content(files.at(-1) ?? '') ?? Buffer.alloc(0)], {
        primitives: nodePrimitives,
        trust: parseVkey(String(opening?.vkey)),
      })
      assert.deepEqual(findings(last), [])
      assert.equal(last.levels.signed.holds, true)
    })

    it('notes the SHA-256 of closed segments and makes them read-only', () => {
      const disk = createCase()
      const ledger = disk.open({ path, rotateBytes: 1500 })
      ledger.append(fill(0, 3))
      ledger.append(fill(3, 1))
      tickAll(disk, ledger)
      const root = path === FILE ? D : PATH
      const [name] = disk.ops
        .readdir(`${root}/segments`)
        .filter((entry) => entry.endsWith('.jsonl'))
        .toSorted()
      const sum = createHash('sha256')
        .update(disk.ops.content(`${root}/segments/${name}`) ?? '')
        .digest('hex')
      assert.match(disk.ops.content(`${root}/segments/SHA256SUMS`)?.toString() ?? '', new RegExp(`^${sum}  ${name}\n`))
    })
  })
}

describe('rotation by somebody else', () => {
  it('in file mode, logrotate with create: writing goes on under the name, the chain unbroken', async () => {
    for (const afterwards of ['absent', 'empty']) {
      const disk = createCase()
      const ledger = disk.open({ path: FILE })
      ledger.append(fill(0, 3))
      disk.ops.rename(FILE, `${FILE}.1`)
      if (afterwards === 'empty') put(disk, FILE, Buffer.alloc(0))
      ledger.reopen()
      ledger.append(fill(3, 3))
      ledger.close()
      assert.deepEqual(findings(await verify(disk.ops, FILE)), [], afterwards)
      assert.equal(records(disk.ops, FILE).filter((record) => record.event_type === 'log.segment').length, 1)
      assert.ok(disk.ops.stat(`${FILE}.1`), 'what logrotate owns stays where it is')
    }
  })

  it('is noticed without a signal, before the next line is written', async () => {
    const disk = createCase()
    const ledger = disk.open({ path: FILE })
    ledger.append(fill(0, 3))
    disk.ops.rename(FILE, `${FILE}-20260101`)
    assert.equal(acked(ledger.append(fill(3, 1))[0]).durable, true)
    ledger.close()
    assert.deepEqual(findings(await verify(disk.ops, FILE)), [])
  })

  for (const name of [`${FILE}.1`, `${FILE}-20260101`, `${FILE}.2.gz`, `${FILE}.3.zst`]) {
    it(`while nobody recorded is adopted on open (${name})`, async () => {
      const disk = createCase()
      const ledger = disk.open({ path: FILE })
      ledger.append(fill(0, 3))
      ledger.close()
      const bytes = disk.ops.content(FILE) ?? Buffer.alloc(0)
      put(disk, name, name.endsWith('.gz') ? gzipSync(bytes) : name.endsWith('.zst') ? zstdCompressSync(bytes) : bytes)
      disk.ops.unlink(FILE)
      const again = disk.open({ path: FILE })
      again.append(fill(3, 2))
      again.close()
      assert.deepEqual(findings(await verify(disk.ops, FILE)), [])
      assert.ok(disk.ops.stat(name))
    })
  }

  it('several times while nobody looked: the files are adopted in the order of the chain, what is not ours stays out', async () => {
    const disk = createCase()
    let ledger = disk.open({ path: FILE })
    for (const name of ['2', '1']) {
      ledger.append(fill(Number(name) * 10, 3))
      ledger.reopen()
      disk.ops.rename(FILE, `${FILE}.${name}`)
      if (name === '2') ledger.reopen()
    }
    put(disk, `${FILE}.3`, Buffer.from('{"level":30}\n'))
    for (const segment of logFiles(disk.ops, FILE)) disk.ops.unlink(segment) // as if it had been rotated before we could copy
    ledger = disk.open({ path: FILE })
    ledger.append(fill(40, 1))
    ledger.close()
    assert.deepEqual(findings(await verify(disk.ops, FILE)), [])
    assert.equal(logFiles(disk.ops, FILE).length, 3)
  })

  it('a rotated file that is nowhere to be found is a rollback', () => {
    const disk = createCase()
    disk.open({ path: FILE }).close()
    disk.ops.unlink(FILE)
    assert.throws(() => disk.open({ path: FILE }), code('LEDGER_ROLLBACK'))
  })

  it('with copytruncate poisons, and the message names logrotate', () => {
    const disk = createCase()
    const ledger = disk.open({ path: FILE })
    ledger.append(fill(0, 3))
    put2(disk, FILE)
    const [answer] = ledger.append(fill(3, 1))
    assert.equal(outcome(answer), 'APPEND_REFUSED')
    assert.match(String(answer), /logrotate with copytruncate does this: use `create` and SIGHUP/)
  })

  it('of a directory ledger poisons instead of writing to a file nobody will find', () => {
    const disk = createCase()
    const ledger = disk.open()
    disk.ops.rename(`${PATH}/segments/00000000000000000000.jsonl`, `${PATH}/segments/x`)
    assert.equal(outcome(ledger.append(fill(0, 1))[0]), 'APPEND_REFUSED')
  })

  it('a second writer is noticed: nothing of the batch is acknowledged', () => {
    const disk = createCase()
    const ledger = disk.open()
    const fd = disk.ops.open(`${PATH}/segments/00000000000000000000.jsonl`, 'append')
    disk.ops.write(fd, Buffer.from('x'))
    assert.equal(outcome(ledger.append(fill(0, 1))[0]), 'APPEND_REFUSED')
  })
})

/** Truncates in place, as copytruncate does. */
function put2(disk: Case, path: string): void {
  const fd = disk.ops.open(path, 'update')
  disk.ops.truncate(fd, 0)
  disk.ops.close(fd)
}

describe('file mode refuses', () => {
  it('a file that is not ours', () => {
    const disk = createCase()
    put(disk, FILE, Buffer.from('{"level":30,"msg":"pino"}\n'))
    assert.throws(() => disk.open({ path: FILE }), code('LEDGER_FOREIGN_FILE'))
    assert.equal(disk.ops.content(FILE)?.length, 26)
  })

  it('our file without the directory beside it', () => {
    const disk = createCase()
    const ledger = disk.open({ path: FILE })
    ledger.close()
    const other = createCase()
    put(other, FILE, disk.ops.content(FILE) ?? Buffer.alloc(0))
    assert.throws(() => other.open({ path: FILE }), code('LEDGER_DETACHED'))
  })
})

describe('a closed segment that vanished', () => {
  it('is said once in the log, stays a finding, and the recorder goes on', async () => {
    const disk = createCase()
    const ledger = disk.open({ rotateBytes: 1500 })
    for (let n = 0; n < 9; n++) ledger.append([item(n, 'sync')])
    ledger.close()
    const [, victim] = logFiles(disk.ops)
    disk.ops.unlink(victim ?? '')
    disk.open({ rotateBytes: 1500 }).close()
    disk.open({ rotateBytes: 1500 }).close()
    const gaps = records(disk.ops).filter((record) => record.event_type === 'log.gap')
    assert.deepEqual(
      gaps.map((gap) => [gap.reason, gap.severity]),
      [['segment_missing', 'critical']],
    )
    assert.notDeepEqual(findings(await verify(disk.ops)), [])
  })
})

describe('pruning', () => {
  function pruned() {
    const disk = createCase()
    const ledger = disk.open({ rotateBytes: 1500 })
    for (let n = 0; n < 12; n++) ledger.append([item(n, 'sync')])
    const starts = logFiles(disk.ops).map((file) => Number(/(\d{20})/.exec(file)?.[1]))
    const minimum = starts[2] ?? 0
    ledger.prune(minimum + 1, { policy: 'one year', unanchored: true })
    return { disk, ledger, minimum }
  }

  it('drops whole segments below the number, keeps leaves and reserved records, says so in the log', async () => {
    const { disk, ledger, minimum } = pruned()
    ledger.close()
    const [first] = logFiles(disk.ops)
    assert.equal(Number(/(\d{20})/.exec(first ?? '')?.[1]), minimum)
    assert.equal(disk.ops.content(`${PATH}/tree/L0`)?.length, ledger.size * 32)
    const note = records(disk.ops).find((record) => record.event_type === 'log.prune')
    assert.deepEqual([note?.minimum_index, note?.policy], [minimum, 'one year'])
    assert.match(disk.ops.content(`${PATH}/reserved.jsonl`)?.toString() ?? '', /"event_type":"log.open"[^\n]*\n.*"event_type":"log.prune"/)
    const opening = JSON.parse((disk.ops.content(`${PATH}/reserved.jsonl`)?.toString() ?? '').split('\n')[0] ?? '')
    const report = await verifyLog([logBytes(disk.ops)], { primitives: nodePrimitives, trust: parseVkey(opening.vkey) })
    assert.deepEqual(findings(report), [])
    assert.equal(report.first, minimum)
    parseHex(report.head)
  })

  it('leaves a ledger that opens, goes on and finds what it acknowledged', () => {
    const { disk, ledger } = pruned()
    const ack = acked(ledger.append([item(50, 'sync')])[0])
    const again = disk.open()
    assert.equal(again.holds(ack.seq, ack.entryHash), true)
    assert.equal(acked(again.append([item(50, 'sync')])[0]).seq, ack.seq)
  })

  it('that a crash cut short leaves segments, which are no gap; the next pruning takes them', async () => {
    const { disk, ledger, minimum } = pruned()
    ledger.close()
    const whole = createCase()
    const twin = whole.open({ rotateBytes: 1500 })
    for (let n = 0; n < 12; n++) twin.append([item(n, 'sync')])
    const [oldest] = logFiles(whole.ops)
    put(disk, oldest ?? '', whole.ops.content(oldest ?? '') ?? Buffer.alloc(0)) // the same seed: the same bytes
    const again = disk.open({ rotateBytes: 1500 })
    assert.equal(records(disk.ops).filter((record) => record.event_type === 'log.gap').length, 0)
    again.append(fill(60, 6))
    again.prune(again.size, { policy: 'p', unanchored: true })
    assert.equal(disk.ops.stat(oldest ?? ''), undefined)
    assert.ok(again.size > minimum)
  })

  it('does not disturb a reader that is in the middle of a segment', () => {
    const directory = temporaryDirectory()
    const [path, home] = [join(directory, 'audit'), join(directory, 'home')]
    const ledger = openLedger({ path, home, rotateBytes: 1500 })
    for (let n = 0; n < 12; n++) ledger.append([item(n, 'sync')])
    const segments = join(path, 'segments')
    const oldest = join(
      segments,
      readdirSync(segments)
        .filter((name) => name.endsWith('.jsonl'))
        .toSorted()[0] ?? '',
    )
    const bytes = readFileSync(oldest)
    const reader = openSync(oldest, 'r')
    readSync(reader, Buffer.alloc(100))
    ledger.prune(ledger.size, { policy: 'p', unanchored: true })
    assert.equal(existsSync(oldest), false)
    assert.deepEqual(readFileSync(reader), bytes.subarray(100))
    closeSync(reader)
    ledger.close()
  })

  it('is refused without an anchor unless that is said, and when no whole segment lies below', () => {
    const { ledger } = pruned()
    assert.throws(() => ledger.prune(100, { policy: 'p', unanchored: false }), code('APPEND_REFUSED'))
    assert.throws(() => ledger.prune(1, { policy: 'p', unanchored: true }), code('APPEND_REFUSED'))
    assert.equal(outcome(ledger.append([item(60)])[0]), 'ack')
  })
})
