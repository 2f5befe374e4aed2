/** Pruning, packing, archiving: what stays provable, and what a crash leaves. @module */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  checkConsistency,
  checkInclusion,
  leafHash,
  parseCheckpoint,
  parseHex,
  parseNote,
  proveConsistency,
  proveInclusion,
  SwornError,
} from '@sworn/verify'
import { nodePrimitives as p } from '@sworn/verify/node'
import { CRASH, faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { KEEP_ALL, KEEP_NOTHING, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { count } from '../../../testkit/src/suite.ts'
import { errorCode, type FileOps } from '../src/ledger/file-ops.ts'
import type { Ledger } from '../src/ledger/ledger.ts'
import { acked, type Case, createCase, FILE, item, logFiles, PATH, records, tickAll } from './support/ledger-case.ts'

const STRIDE = count({ fast: 29, ci: 4, full: 1 })
const ARCHIVE = '/archive'

interface Filled {
  readonly disk: Case
  readonly ledger: Ledger
  /** entry_hash by seq, of what was appended. */
  readonly hashes: ReadonlyMap<number, string>
}

function fill(path: string = PATH): Filled {
  const disk = createCase()
  const ledger = disk.open({ path, rotateBytes: 1500 })
  const hashes = new Map<number, string>()
  for (let n = 0; n < 12; n++) {
    const { seq, entryHash } = acked(ledger.append([item(n, 'sync')])[0])
    hashes.set(seq, entryHash)
  }
  disk.time += 1500
  tickAll(disk, ledger)
  return { disk, ledger, hashes }
}

const rootOf = (path: string) => (path === FILE ? `${path}.ledger` : path)

function treeOf(ops: PageCache, path: string) {
  return (level: number, start: number, width: number) =>
    new Uint8Array(ops.content(`${rootOf(path)}/tree/L${level}`)?.subarray(start * 32, (start + width) * 32) ?? [])
}

/** Every checkpoint that stands in the log or beside it. */
function checkpoints(ops: PageCache, path: string) {
  const inLog = records(ops, path).flatMap(({ checkpoint }) => (typeof checkpoint === 'string' ? [checkpoint] : []))
  return [...inLog, ops.content(`${rootOf(path)}/checkpoint`)?.toString() ?? ''].map((note) => parseCheckpoint(parseNote(note).text))
}

for (const path of [PATH, FILE]) {
  describe(`pruning and erasing (${path})`, () => {
    it('every old proof holds, what is left can be proved anew, and every old size leads to the new one', () => {
      const { disk, ledger, hashes } = fill(path)
      const old = checkpoints(disk.ops, path)
      const signed = old.at(-1)
      assert.ok(signed && old.length > 1)
      const provable = [...hashes].filter(([seq]) => seq < signed.size)
      const proofs = provable.map(([seq]) => proveInclusion(p, treeOf(disk.ops, path), seq, signed.size))
      ledger.erase({ subject: 'nobody', basis: 'b', requestId: 'r', actor: 'a' })
      ledger.prune(14, { policy: 'p', unanchored: true })
      ledger.close()
      for (const [i, [seq, hash]] of provable.entries())
        checkInclusion(p, leafHash(p, parseHex(hash)), seq, signed.size, proofs[i]!, signed.root)
      const now = checkpoints(disk.ops, path).at(-1)!
      for (const { size, root } of old.filter(({ size }) => size > 0)) {
        checkConsistency(p, size, now.size, root, now.root, proveConsistency(p, treeOf(disk.ops, path), size, now.size))
      }
      const left = records(disk.ops, path).filter(({ seq }) => Number(seq) < now.size)
      assert.ok(left.length > 3)
      for (const { seq, entry_hash } of left) {
        const proof = proveInclusion(p, treeOf(disk.ops, path), Number(seq), now.size)
        checkInclusion(p, leafHash(p, parseHex(String(entry_hash))), Number(seq), now.size, proof, now.root)
      }
    })

    it('what goes is in the archive first, byte for byte', () => {
      const { disk, ledger } = fill(path)
      const before = new Map(logFiles(disk.ops, path).map((file) => [file, disk.ops.content(file)]))
      ledger.prune(14, { policy: 'p', unanchored: true, archivedTo: ARCHIVE })
      const gone = [...before.keys()].filter((file) => disk.ops.stat(file) === undefined)
      assert.ok(gone.length >= 2)
      for (const file of gone) assert.deepEqual(disk.ops.content(`${ARCHIVE}/${file.slice(-26)}`), before.get(file))
      assert.equal(records(disk.ops, path).find(({ event_type: type }) => type === 'log.prune')?.archived_to, ARCHIVE)
    })

    for (const [form, suffix, unpack] of [
      ['gzip', '.gz', gunzipSync],
      ['zstd', '.zst', zstdDecompressSync],
    ] as const) {
      it(`closed segments packed with ${form} give the same bytes, are read as before, archived and pruned`, () => {
        const { disk, ledger, hashes } = fill(path)
        const before = new Map(logFiles(disk.ops, path).map((file) => [file, disk.ops.content(file)]))
        const closed = [...before.keys()].slice(0, -1)
        assert.equal(ledger.pack(form), closed.length)
        assert.equal(ledger.pack(form), 0)
        for (const file of closed) {
          assert.equal(disk.ops.stat(file), undefined)
          assert.deepEqual(unpack(disk.ops.content(`${file}${suffix}`)!), before.get(file))
        }
        for (const [seq, hash] of hashes) assert.ok(ledger.holds(seq, hash), `seq ${seq}`)
        ledger.prune(14, { policy: 'p', unanchored: true, archivedTo: ARCHIVE })
        assert.equal(disk.ops.stat(`${closed[0]}${suffix}`), undefined)
        assert.ok(disk.ops.stat(`${ARCHIVE}/${closed[0]?.slice(-26)}${suffix}`))
        ledger.close()
        disk.open({ path }).close()
      })
    }
  })
}

function change(disk: Case, path: string, at: number): void {
  const fd = disk.ops.open(path, 'update')
  const byte = disk.ops.content(path)?.[at] ?? 0
  disk.ops.writeAt(fd, Buffer.from([byte ^ 1]), at)
  disk.ops.close(fd)
}

const refused: [string, (filled: Filled) => void][] = [
  ...[0, 33, 13 * 32 - 1].map((at): [string, (filled: Filled) => void] => [
    `pruning when byte ${at} of the leaves that stay was changed`,
    ({ disk, ledger }) => {
      change(disk, `${PATH}/tree/L0`, at)
      ledger.prune(14, { policy: 'p', unanchored: true })
    },
  ]),
  ['an archive inside the ledger', ({ ledger }) => ledger.prune(14, { policy: 'p', unanchored: true, archivedTo: `${PATH}/old` })],
  [
    'an archive that holds the segments of another ledger',
    ({ disk, ledger }) => {
      const other = disk.open({ path: '/other', rotateBytes: 1500 })
      for (let n = 50; n < 62; n++) acked(other.append([item(n, 'sync')])[0])
      other.prune(8, { policy: 'p', unanchored: true, archivedTo: ARCHIVE })
      other.close()
      const kept = disk.ops.content(`${ARCHIVE}/${'0'.repeat(20)}.jsonl`)
      assert.ok(kept)
      try {
        ledger.prune(14, { policy: 'p', unanchored: true, archivedTo: ARCHIVE })
      } finally {
        assert.deepEqual(disk.ops.content(`${ARCHIVE}/${'0'.repeat(20)}.jsonl`), kept)
      }
    },
  ],
  [
    'a closed segment that somebody changed',
    ({ disk, ledger }) => {
      const [file] = logFiles(disk.ops)
      disk.ops.chmod(file!, 0o600)
      const fd = disk.ops.open(file!, 'update')
      disk.ops.writeAt(fd, Buffer.from('X'), 100)
      disk.ops.close(fd)
      ledger.pack('gzip')
    },
  ],
]
for (const [what, step] of refused) {
  it(`${what} is refused, and nothing goes`, () => {
    const filled = fill()
    const before = logFiles(filled.disk.ops)
    assert.throws(
      () => step(filled),
      (e) => SwornError.is(e, 'APPEND_REFUSED'),
    )
    assert.deepEqual(logFiles(filled.disk.ops), before)
    acked(filled.ledger.append([item(90, 'sync')])[0])
  })
}

const steps: [string, (ledger: Ledger) => void][] = [
  ['pruning with an archive', (ledger) => ledger.prune(14, { policy: 'p', unanchored: true, archivedTo: ARCHIVE })],
  ['packing', (ledger) => ledger.pack('gzip')],
]
for (const [what, step] of steps) {
  it(`${what} that is cut at any step leaves a ledger that opens, loses nothing it should keep, and finishes when asked again`, () => {
    const total = cutAt(step, -1).steps
    assert.ok(total > 10, `${total} steps`)
    for (let at = 3; at < total; at += STRIDE) {
      for (const choose of [KEEP_NOTHING, KEEP_ALL]) {
        const { ops, hashes } = cutAt(step, at)
        const disk = createCase('after', ops.crash(choose), Date.parse('2026-01-02T00:00:00Z'))
        const ledger = disk.open({ rotateBytes: 1500 })
        const first = Number(/(\d{20})\.jsonl/.exec(disk.ops.readdir(`${PATH}/segments`).toSorted()[0] ?? '')?.[1])
        const said = records(disk.ops).some(({ event_type: type }) => type === 'log.prune')
        assert.ok(first === 0 || said, `step ${at}: nothing goes before log.prune is there`)
        for (const [seq, hash] of hashes) assert.ok(seq < first || ledger.holds(seq, hash), `step ${at}: seq ${seq}`)
        tickAll(disk, ledger)
        try {
          step(ledger)
        } catch (e) {
          assert.ok(said && SwornError.is(e, 'APPEND_REFUSED'), `step ${at}`) // nothing was left to do
        }
        const gone = [...hashes.keys()].filter((seq) => seq < 8)
        if (what !== 'packing')
          assert.ok(
            gone.every((seq) => records(disk.ops).every((record) => record.seq !== seq)),
            `step ${at}`,
          )
        ledger.close()
        disk.open({ rotateBytes: 1500 }).close()
      }
    }
  })
}

function cutAt(step: (ledger: Ledger) => void, at: number): { ops: PageCache; steps: number; hashes: ReadonlyMap<number, string> } {
  const { disk, ledger: before, hashes } = fill()
  before.close()
  const faulty = faultyOps(disk.ops, { at: -1, fault: 'crash', code: CRASH })
  const ops: FileOps = faulty
  const ledger = disk.open({ fileOps: ops, rotateBytes: 1500 })
  const from = faulty.steps.length
  const plan = faulty.plan as { at: number } // moved to where the step begins
  plan.at = at < 0 ? -1 : from + at
  try {
    step(ledger)
  } catch (e) {
    if (!['APPEND_UNKNOWN', 'IO_FAILED', CRASH].includes(errorCode(e))) throw e
  }
  return { ops: disk.ops, steps: faulty.steps.length - from, hashes }
}

it('the bytes of a packed segment are those that SHA256SUMS names', () => {
  const { disk, ledger } = fill()
  ledger.pack('zstd')
  const sums = disk.ops.content(`${PATH}/segments/SHA256SUMS`)?.toString().trimEnd().split('\n') ?? []
  assert.ok(sums.length > 2)
  for (const line of sums) {
    const bytes = zstdDecompressSync(disk.ops.content(`${PATH}/segments/${line.slice(66)}.zst`)!)
    assert.equal(createHash('sha256').update(bytes).digest('hex'), line.slice(0, 64))
  }
})
