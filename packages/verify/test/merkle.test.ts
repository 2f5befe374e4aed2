import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import {
  checkConsistency,
  checkInclusion,
  checkSubtree,
  createFrontier,
  emptyRoot,
  leafHash,
  nodeHash,
  SwornError,
  toBase64,
  toHex,
} from '../src/index.ts'
import { fromBase64, fromHex, jsonLines, ownJson, sharedTest } from './support/vectors.ts'

interface Case {
  file: string
  leafIdx: number
  treeSize: number
  start: number
  end: number
  size: number
  size1: number
  size2: number
  root: string
  root1: string
  root2: string
  leafHash: string
  proof: string[] | null
  wantErr: boolean
}
interface Expected {
  records: { entry_hash: string; leaf_hash: string }[]
  roots_b64: string[]
  inclusion: { index: number; size: number; proof: string[] }[]
  consistency: { size1: number; size2: number; proof: string[] }[]
}
const proofOf = (c: { proof: string[] | null }): Uint8Array[] => (c.proof ?? []).map(fromBase64)
const isRefused = (e: unknown): boolean => SwornError.is(e, 'PROOF_INVALID')

function agree(c: Case, check: () => void): void {
  if (c.wantErr) assert.throws(check, isRefused, c.file)
  else assert.doesNotThrow(check, c.file)
}

sharedTest('all inclusion proofs of transparency-dev are judged as listed', 'rfc6962-merkle', (read) => {
  const cases = jsonLines<Case>(read('inclusion.jsonl'))
  assert.equal(cases.length, 98)
  for (const c of cases) agree(c, () => checkInclusion(p, fromBase64(c.leafHash), c.leafIdx, c.treeSize, proofOf(c), fromBase64(c.root)))
})

sharedTest('all consistency proofs of transparency-dev are judged as listed', 'rfc6962-merkle', (read) => {
  const cases = jsonLines<Case>(read('consistency.jsonl'))
  assert.equal(cases.length, 98)
  for (const c of cases) agree(c, () => checkConsistency(p, c.size1, c.size2, fromBase64(c.root1), fromBase64(c.root2), proofOf(c)))
})

sharedTest('all subtree proofs of transparency-dev are judged as listed', 'rfc6962-merkle', (read) => {
  const inclusion = jsonLines<Case>(read('subtreeinclusion.jsonl'))
  const consistency = jsonLines<Case>(read('subtreeconsistency.jsonl'))
  assert.deepEqual([inclusion.length, consistency.length], [204, 118])
  for (const c of inclusion) {
    agree(c, () => checkInclusion(p, fromBase64(c.leafHash), c.leafIdx - c.start, c.end - c.start, proofOf(c), fromBase64(c.root)))
  }
  for (const c of consistency) agree(c, () => checkSubtree(p, c, fromBase64(c.root1), fromBase64(c.root2), proofOf(c)))
})

sharedTest('the classic eight leaves give the published nodes and roots', 'rfc6962-merkle', (read) => {
  const vectors = JSON.parse(read('roots.json').toString('utf8')) as {
    leaf_inputs_hex: string[]
    root_hashes_hex_by_size: string[]
    node_hashes_hex: string[][]
  }
  const frontier = createFrontier(p)
  const roots = [toHex(frontier.root())]
  const leaves = vectors.leaf_inputs_hex.map((hex) => leafHash(p, fromHex(hex)))
  for (const leaf of leaves) {
    frontier.push(leaf)
    roots.push(toHex(frontier.root()))
  }
  assert.deepEqual(roots, vectors.root_hashes_hex_by_size)
  assert.deepEqual(leaves.map(toHex), vectors.node_hashes_hex[0])
  assert.equal(toHex(nodeHash(p, leaves[0]!, leaves[1]!)), vectors.node_hashes_hex[1]![0])
})

for (const name of ['sha256', 'sha3-256']) {
  test(`the golden ${name} log has the roots and proofs of its expectation file`, () => {
    const expected = ownJson<Expected>(`expected-${name}.json`)
    const roots = expected.roots_b64.map(fromBase64)
    const leaves = expected.records.map((r) => leafHash(p, fromHex(r.entry_hash)))
    const frontier = createFrontier(p)
    assert.deepEqual(
      leaves.map(toHex),
      expected.records.map((r) => r.leaf_hash),
    )
    assert.equal(toBase64(emptyRoot(p)), expected.roots_b64[0])
    leaves.forEach((leaf, i) => {
      frontier.push(leaf)
      assert.equal(toBase64(frontier.root()), expected.roots_b64[i + 1])
    })
    assert.deepEqual([expected.inclusion.length, expected.consistency.length], [55, 55])
    for (const c of expected.inclusion) checkInclusion(p, leaves[c.index]!, c.index, c.size, proofOf(c), roots[c.size]!)
    for (const c of expected.consistency) checkConsistency(p, c.size1, c.size2, roots[c.size1]!, roots[c.size2]!, proofOf(c))
  })
}

test('a frontier continued from its hashes goes on like the one it came from', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(40), (before, after) => {
      const leaf = (i: number): Uint8Array => leafHash(p, Uint8Array.of(i >> 8, i & 255))
      const whole = createFrontier(p)
      for (let i = 0; i < before; i++) whole.push(leaf(i))
      const continued = createFrontier(p, { size: before, hashes: whole.hashes() })
      const copy = whole.clone()
      for (let i = before; i < before + after; i++) for (const f of [whole, continued]) f.push(leaf(i))
      assert.deepEqual(continued.root(), whole.root())
      assert.deepEqual([continued.size, copy.size], [before + after, before])
    }),
    { seed: 1, numRuns: 60 },
  )
})

test('the newest subtree of a level is the tree over its leaves, also in a frontier that was continued', () => {
  const leaf = (i: number): Uint8Array => leafHash(p, Uint8Array.of(i >> 8, i & 255))
  const rootOf = (from: number, to: number): Uint8Array => {
    const tree = createFrontier(p)
    for (let i = from; i < to; i++) tree.push(leaf(i))
    return tree.root()
  }
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 70 }), (before, after) => {
      const whole = createFrontier(p)
      for (let i = 0; i < before; i++) whole.push(leaf(i))
      const continued = createFrontier(p, { size: before, hashes: whole.hashes() })
      for (let i = before; i < before + after; i++) continued.push(leaf(i))
      const { size } = continued
      for (let level = 0, width = 1; size % width === 0 && width <= size; level++, width *= 2)
        assert.deepEqual(Uint8Array.from(continued.newest(level)), rootOf(size - width, size))
    }),
    { seed: 1, numRuns: 60 },
  )
})

test('a frontier is refused when its hashes do not fit its size', () => {
  const hash = new Uint8Array(32)
  const wrong = [
    { size: 3, hashes: [hash] },
    { size: 1, hashes: [hash.subarray(1)] },
    { size: -1, hashes: [] },
    { size: 0.5, hashes: [] },
  ]
  for (const from of wrong) assert.throws(() => createFrontier(p, from), isRefused)
})

test('a proof for size 0, a fraction or a size past 2^53 is refused', () => {
  const hash = new Uint8Array(32)
  for (const size of [0, -1, 1.5, 2 ** 53]) {
    assert.throws(() => checkInclusion(p, hash, 0, size, [], hash), isRefused)
    assert.throws(() => checkConsistency(p, 1, size, hash, hash, []), isRefused)
    assert.throws(() => checkConsistency(p, size, 9, hash, hash, []), isRefused)
  }
  assert.throws(() => checkInclusion(p, hash, -1, 2, [hash], hash), isRefused)
})
