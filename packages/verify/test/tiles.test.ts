import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import { later } from '../../../testkit/src/suite.ts'
import {
  checkConsistency,
  checkInclusion,
  createFrontier,
  flatLevelLengths,
  leafHash,
  nodeHash,
  openNote,
  parseCheckpoint,
  parseTilePath,
  parseVkey,
  proveConsistency,
  proveInclusion,
  SwornError,
  type TileLevel,
  tilePath,
  tileWidths,
  toBase64,
  toHex,
} from '../src/index.ts'
import { fromHex, ownJson, sharedTest } from './support/vectors.ts'

const isRefused = (e: unknown): boolean => SwornError.is(e, 'PROOF_INVALID')

/** The flat level files of a tree over the given leaves. */
function flatFiles(leaves: readonly Uint8Array[]): Buffer[] {
  const levels: Buffer[] = []
  for (let level = [...leaves]; level.length > 0; ) {
    levels.push(Buffer.concat(level))
    const above: Uint8Array[] = []
    for (let i = 0; i + 256 <= level.length; i += 256) above.push(rootOf(level.slice(i, i + 256)))
    level = above
  }
  return levels
}

function rootOf(hashes: Uint8Array[]): Uint8Array {
  let row = hashes
  while (row.length > 1) row = row.flatMap((left, i) => (i % 2 === 0 ? [nodeHash(p, left, row[i + 1]!)] : []))
  return row[0]!
}

const leafOf = (i: number): Uint8Array => {
  const count = new Uint8Array(8)
  new DataView(count.buffer).setUint32(4, i)
  return leafHash(p, p.hash('sha256', count))
}
const leaves = Array.from({ length: 70_000 }, (_, i) => leafOf(i))
const files = flatFiles(leaves)
const reader =
  (log: string[] = []) =>
  (level: number, start: number, count: number): Uint8Array => {
    log.push(`${level}/${start}`)
    assert.ok(start % 256 === 0 && count >= 1 && count <= 256)
    return new Uint8Array(files[level]!.subarray(start * 32, (start + count) * 32))
  }
function frontierAt(size: number): ReturnType<typeof createFrontier> {
  const frontier = createFrontier(p)
  for (const leaf of leaves.slice(0, size)) frontier.push(leaf)
  return frontier
}

test('a tree of 70,000 entries has the golden roots and tile files', () => {
  const big = ownJson<{
    roots: Record<string, string>
    files: Record<string, { bytes: number; hashes: number; sha256: string }>
    first_hash_L1_hex: string
    hash_L2_hex: string
  }>('big-tree.json')
  const frontier = createFrontier(p)
  for (let size = 0; size <= 70_000; size++) {
    if (big.roots[size]) assert.equal(toBase64(frontier.root()), big.roots[size], `size ${size}`)
    if (size < 70_000) frontier.push(leaves[size]!)
  }
  const lengths = flatLevelLengths(70_000)
  for (const [k, file] of files.entries()) {
    const golden = big.files[`L${k}`]!
    assert.deepEqual(
      [file.length, lengths[k], createHash('sha256').update(file).digest('hex')],
      [golden.bytes, golden.hashes, golden.sha256],
    )
  }
  assert.deepEqual([toHex(files[1]!.subarray(0, 32)), toHex(files[2]!)], [big.first_hash_L1_hex, big.hash_L2_hex])
})

sharedTest('tile paths and widths are as listed', 'tiles', (read) => {
  const listed = JSON.parse(read('paths.json').toString('utf8')) as {
    paths: { level: TileLevel; n: number; w?: number; path: string }[]
    bad: string[]
    widths: { size: number; levels: { full: number; partial: number }[] }[]
  }
  for (const { level, n, w = 256, path } of listed.paths) {
    assert.equal(tilePath(level, n, w), path)
    assert.deepEqual(parseTilePath(path), { level, n, width: w })
  }
  for (const path of listed.bad) assert.throws(() => parseTilePath(path), isRefused, path)
  for (const { size, levels } of listed.widths) assert.deepEqual(tileWidths(size), levels)
})

test('what a tile path names, it prints', () => {
  const tile = fc.record({
    level: fc.oneof(fc.nat(63), fc.constant<TileLevel>('entries')),
    n: fc.nat(Number.MAX_SAFE_INTEGER),
    width: fc.integer({ min: 1, max: 256 }),
  })
  fc.assert(
    fc.property(tile, ({ level, n, width }) => assert.deepEqual(parseTilePath(tilePath(level, n, width)), { level, n, width })),
    { seed: 3, numRuns: 300 },
  )
  assert.throws(() => parseTilePath('tile/0/x999/x999/x999/x999/x999/999'), isRefused)
})

test('proofs read from tiles check, at sizes around every tile boundary', { skip: later }, () => {
  for (const size of [1, 2, 3, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 69_999]) {
    const frontier = frontierAt(size)
    const root = frontier.root()
    for (const index of [0, 1, size >> 1, size - 2, size - 1].filter((i) => i >= 0 && i < size)) {
      for (const edge of [undefined, frontier.hashes()]) {
        const reads: string[] = []
        const proof = proveInclusion(p, reader(reads), index, size, edge)
        checkInclusion(p, leaves[index]!, index, size, proof, root)
        assert.equal(new Set(reads).size, reads.length, 'each tile is read once')
        if (edge) assert.ok(reads.length <= flatLevelLengths(size).length, `${reads.length} tiles for ${index} of ${size}`)
      }
    }
    for (const m of [1, 2, 128, 256, 300, size - 1, size].filter((n) => n >= 1 && n <= size)) {
      checkConsistency(p, m, size, frontierAt(m).root(), root, proveConsistency(p, reader(), m, size))
    }
  }
})

test('every proof of small trees checks, and no proof checks for another entry or size', () => {
  const roots = Array.from({ length: 34 }, (_, n) => frontierAt(n).root())
  for (let n = 1; n < 34; n++) {
    for (let m = 0; m < n; m++) {
      const proof = proveInclusion(p, reader(), m, n)
      checkInclusion(p, leaves[m]!, m, n, proof, roots[n]!)
      assert.throws(() => checkInclusion(p, leaves[m + 1]!, m, n, proof, roots[n]!), isRefused)
      checkConsistency(p, m + 1, n, roots[m + 1]!, roots[n]!, proveConsistency(p, reader(), m + 1, n))
    }
  }
})

test('a proof of what is not in the tree is refused', () => {
  for (const [a, b] of [
    [5, 5],
    [-1, 5],
    [0.5, 5],
    [0, 2 ** 53],
  ] as const)
    assert.throws(() => proveInclusion(p, reader(), a, b), isRefused)
  for (const [a, b] of [
    [0, 5],
    [6, 5],
    [1.5, 5],
    [1, 2 ** 53],
  ] as const)
    assert.throws(() => proveConsistency(p, reader(), a, b), isRefused)
})

sharedTest('every checkpoint, tile and proof of the Tessera log recomputes', 'tessera-log', async (read) => {
  const key = parseVkey('example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx')
  const bundle = read('tile/entries/000.p/15')
  const words: Buffer[] = []
  for (let at = 0; at < bundle.length; at += 2 + words.at(-1)!.length) words.push(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at)))
  assert.equal(words.length, 15)
  const frontier = createFrontier(p)
  const roots: Uint8Array[] = []
  for (let size = 0; size <= 15; size++) {
    if (size > 0) frontier.push(leafHash(p, words[size - 1]!))
    const { text, verified } = await openNote(p, read(`checkpoint.${size}`), [key])
    const checkpoint = parseCheckpoint(text)
    assert.deepEqual([verified, checkpoint.size, toBase64(checkpoint.root)], [[key], size, toBase64(frontier.root())])
    roots.push(checkpoint.root)
    if (size === 0) continue
    const tile = read(tilePath(0, 0, size))
    assert.equal(toHex(tile.subarray(-32)), toHex(leafHash(p, words[size - 1]!)))
    const readTile = (): Uint8Array => tile
    for (let m = 1; m <= size; m++) checkConsistency(p, m, size, roots[m]!, checkpoint.root, proveConsistency(p, readTile, m, size))
    for (let i = 0; i < size; i++) checkInclusion(p, leafHash(p, words[i]!), i, size, proveInclusion(p, readTile, i, size), checkpoint.root)
  }
})

test('the golden tile and bundle hold the entry hashes', () => {
  const expected = ownJson<{ tile_0_000_p: string; entries_000_p: string; records: { entry_hash: string }[] }>('expected-sha256.json')
  const hashes = expected.records.map((r) => fromHex(r.entry_hash))
  assert.equal(hashes.map((hash) => toHex(leafHash(p, hash))).join(''), expected.tile_0_000_p)
  assert.equal(hashes.map((hash) => `0020${toHex(hash)}`).join(''), expected.entries_000_p)
})
