/**
 * The Merkle tree as flat files: `tree/L<k>`, 32 bytes a hash, one per 256^k records.
 *
 * Derivable from the segments, so written without sync; synced at a checkpoint, so that what lies
 * below the newest signed size needs no second look after a crash. Source: docs/format.md, "Flat tile files".
 * @module
 */
import { join } from 'node:path'
import { createFrontier, type Frontier, flatLevelLengths, hashInto, nodeHash, type Primitives } from '@sworn/verify'
import type { FileOps } from './file-ops.ts'
import { appendFile, readSlice, truncateFile } from './files.ts'

const HASH_BYTES = 32
const TILE = 256

export interface TreeFiles {
  /** Appends leaf hash `size`. */
  push(leaf: Uint8Array): void
  /** Writes what was pushed. */
  flush(): void
  /** Writes, then syncs one file or name a step; dropped in between, the rest stays to be synced. */
  syncing(): Generator<void>
}

export function levelPath(directory: string, level: number): string {
  return join(directory, `L${level}`)
}

/** Goes on after `size` leaves: cuts every level to that size. The caller has checked that they are there. */
export function openTreeFiles(ops: FileOps, primitives: Primitives, directory: string, size: number): TreeFiles {
  cutLevels(ops, directory, size)
  const levels: Level[] = openTiles(ops, directory, size).map(createLevel)
  const touched = new Set<number>()
  let count = size
  let named = 0 // levels whose names are known to be on disk
  function push(hash: Uint8Array, at: number): void {
    const level = (levels[at] ??= createLevel([]))
    const tile = level.push(hash)
    if (tile) push(reduceToRoot(primitives, tile), at + 1)
  }
  function flush(): void {
    for (const [at, level] of levels.entries()) {
      const hashes = level.take()
      if (hashes.length === 0) continue
      appendFile(ops, levelPath(directory, at), hashes, { durable: false })
      touched.add(at)
    }
  }
  return {
    push(leaf) {
      count++
      push(leaf, 0)
    },
    flush,
    *syncing() {
      flush()
      const wanted = flatLevelLengths(count).length
      for (const level of [...touched]) {
        touched.delete(level) // what is pushed from here on is the next caller's
        syncFile(ops, levelPath(directory, level))
        yield
      }
      if (named === wanted) return
      ops.syncDirectory(directory)
      named = wanted
      yield
    },
  }
}

/**
 * The frontier of size `size` out of the right edge of the files (at most 255 hashes a level);
 * `undefined` when the files are shorter.
 */
export function frontierFromFiles(ops: FileOps, primitives: Primitives, directory: string, size: number): Frontier | undefined {
  const lengths = flatLevelLengths(size)
  if (lengths.some((count, level) => (ops.stat(levelPath(directory, level))?.size ?? 0) < count * HASH_BYTES)) return undefined
  const hashes: Uint8Array[] = []
  for (let level = lengths.length - 1; level >= 0; level--) {
    const count = lengths[level] ?? 0
    const edge = readHashes(ops, directory, level, count - (count % TILE), count)
    for (let taken = 0, height = 7; height >= 0; height--) {
      const width = 1 << height
      if ((edge.length & width) === 0) continue
      hashes.push(perfectRoot(primitives, edge.slice(taken, taken + width)))
      taken += width
    }
  }
  return createFrontier(primitives, { size, hashes })
}

/** Hashes [from, to) of one level. */
export function readHashes(ops: FileOps, directory: string, level: number, from: number, to: number): Uint8Array[] {
  if (to <= from) return []
  const bytes = readSlice(ops, levelPath(directory, level), from * HASH_BYTES, to * HASH_BYTES)
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
}

function perfectRoot(primitives: Primitives, hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(primitives, row[2 * i] as Uint8Array, row[2 * i + 1] as Uint8Array))
  }
  return row[0] as Uint8Array // callers pass a power of two, never nothing
}

/** A tile is a power of two, so its hashes are joined in place, pair by pair; the root is the first that is left. */
function reduceToRoot(primitives: Primitives, tile: Uint8Array): Uint8Array {
  const node = new Uint8Array(1 + 2 * HASH_BYTES)
  node[0] = 1
  for (let width = TILE; width > 1; width /= 2) {
    for (let i = 0; i < width / 2; i++) {
      for (let n = 0; n < 2 * HASH_BYTES; n++) node[1 + n] = tile[2 * i * HASH_BYTES + n]! // faster than `set` with a view
      hashInto(primitives, 'sha256', node, tile, i * HASH_BYTES)
    }
  }
  return tile.subarray(0, HASH_BYTES)
}

/** One level: the tile that is being filled, and what is not written yet. */
interface Level {
  /** Copies the hash; gives back the whole tile when this was its last. It may be written over until the next push. */
  push(hash: Uint8Array): Uint8Array | undefined
  /** What was pushed since the last call, valid until the next push. */
  take(): Uint8Array
}

function createLevel(first: readonly Uint8Array[]): Level {
  const tile = new Uint8Array(TILE * HASH_BYTES)
  let filled = 0
  let pending = new Uint8Array(TILE * HASH_BYTES)
  let used = 0
  for (const hash of first) tile.set(hash, HASH_BYTES * filled++)
  return {
    push(hash) {
      if (used === pending.length) pending = Buffer.concat([pending, pending])
      for (let n = 0; n < HASH_BYTES; n++) pending[used + n] = tile[filled * HASH_BYTES + n] = hash[n]!
      used += HASH_BYTES
      filled = (filled + 1) % TILE
      return filled === 0 ? tile : undefined
    },
    take() {
      const taken = pending.subarray(0, used)
      used = 0
      return taken
    },
  }
}

function openTiles(ops: FileOps, directory: string, size: number): Uint8Array[][] {
  return flatLevelLengths(size).map((count, level) => readHashes(ops, directory, level, count - (count % TILE), count))
}

function cutLevels(ops: FileOps, directory: string, size: number): void {
  const lengths = flatLevelLengths(size)
  for (const name of ops.readdir(directory)) {
    if (!/^L\d+$/.test(name)) continue
    const wanted = (lengths[Number(name.slice(1))] ?? 0) * HASH_BYTES
    const path = join(directory, name)
    if ((ops.stat(path)?.size ?? 0) > wanted) truncateFile(ops, path, wanted)
  }
}

function syncFile(ops: FileOps, path: string): void {
  const fd = ops.open(path, 'append')
  try {
    ops.fdatasync(fd)
  } finally {
    ops.close(fd)
  }
}
