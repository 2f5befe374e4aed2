/**
 * Row 17: an inclusion proof from a ledger of ten million entries.
 *
 * The tree's files are built in full (made-up leaf hashes, real nodes) and lie on disk; a proof is read from
 * them as a server would, one positional read a tile, then checked against the root.
 * @module
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { checkInclusion, createFrontier, type Frontier, proveInclusion, type ReadHashes } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { seededRandom } from '../../testkit/src/events.ts'
import { compare, type Measurement, median, type Row } from '../harness/measure.ts'
import { withWorkdir } from '../harness/workdir.ts'

const HASH_BYTES = 32
const TILE_HASHES = 256
const ALLOWED_READS = 4
const ALLOWED_MS = 1

export const inclusionProof: Row = {
  row: 17,
  job: 'inclusion proof from a ledger of 10,000,000',
  against: 'the allowed tile reads and milliseconds',
  target: '≤ 4 tile reads, ≤ 1 ms',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? 70_001 : 10_000_001, quick ? 20 : 2000)),
}

async function measure(dir: string, size: number, proofs: number): Promise<readonly Measurement[]> {
  const { root, edge } = writeTree(dir, size)
  const tree = openTree(dir)
  const random = seededRandom(17)
  const reads: number[] = []
  const times: number[] = []
  for (let n = 0; n < proofs; n++) {
    const index = Math.floor(random() * size)
    tree.reads = 0
    const start = performance.now()
    const proof = proveInclusion(nodePrimitives, tree.read, index, size, edge)
    times.push(performance.now() - start)
    reads.push(tree.reads)
    checkInclusion(nodePrimitives, tree.read(0, index, 1), index, size, proof, root)
  }
  tree.close()
  const note = `${size.toLocaleString('en-US')} entries, ${proofs} proofs, each checked against the root; the files are in the page cache`
  return [
    compare({
      what: 'tile reads, most',
      against: 'allowed',
      ours: [Math.max(...reads)],
      rival: [ALLOWED_READS],
      bound: { atMost: 1 },
      note,
    }),
    compare({ what: 'time, median, ms', against: 'allowed', ours: [median(times)], rival: [ALLOWED_MS], bound: { atMost: 1 } }),
  ]
}

interface Tree {
  reads: number
  readonly read: ReadHashes
  close(): void
}

function openTree(dir: string): Tree {
  const fds = [0, 1, 2].map((level) => openSync(join(dir, `L${level}`), 'r'))
  const tree: Tree = {
    reads: 0,
    read(level, start, count) {
      tree.reads++
      const bytes = new Uint8Array(count * HASH_BYTES)
      readSync(fds[level]!, bytes, 0, bytes.length, start * HASH_BYTES)
      return bytes
    },
    close: () => fds.forEach(closeSync),
  }
  return tree
}

/** Writes L0, L1 and L2 for `size` made-up leaves, `size` below 256^3. */
function writeTree(dir: string, size: number): { root: Uint8Array; edge: Uint8Array[] } {
  const fds = [0, 1, 2].map((level) => openSync(join(dir, `L${level}`), 'w'))
  const random = seededRandom(size)
  const tiles = createFrontier(nodePrimitives) // its leaves are the roots of full tiles
  let group = createFrontier(nodePrimitives)
  for (let left = size; left >= TILE_HASHES; left -= TILE_HASHES) {
    const tile = leaves(random, TILE_HASHES)
    const hash = frontierOf(tile).root()
    writeSync(fds[0]!, tile)
    writeSync(fds[1]!, hash)
    tiles.push(hash)
    group.push(hash)
    if (group.size === TILE_HASHES) {
      writeSync(fds[2]!, group.root())
      group = createFrontier(nodePrimitives)
    }
  }
  const rest = leaves(random, size % TILE_HASHES)
  writeSync(fds[0]!, rest)
  fds.forEach(closeSync)
  const edge = [...tiles.hashes(), ...frontierOf(rest).hashes()]
  return { root: createFrontier(nodePrimitives, { size, hashes: edge }).root(), edge }
}

function frontierOf(hashes: Uint8Array): Frontier {
  const frontier = createFrontier(nodePrimitives)
  for (let at = 0; at < hashes.length; at += HASH_BYTES) frontier.push(hashes.subarray(at, at + HASH_BYTES))
  return frontier
}

/** `count` hashes that no entry has. */
function leaves(random: () => number, count: number): Uint8Array {
  const words = Uint32Array.from({ length: count * 8 }, () => random() * 2 ** 32)
  return new Uint8Array(words.buffer)
}
