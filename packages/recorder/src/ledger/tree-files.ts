/**
 * The Merkle tree as flat files: `tree/L<k>`, 32 bytes a hash, one per 256^k records.
 *
 * Derivable from the segments, so written without sync; synced at a checkpoint, so that what lies
 * below the newest signed size needs no second look after a crash. Source: docs/format.md, "Flat tile files".
 * @module
 */
import { join } from 'node:path'
import { createFrontier, type Frontier, flatLevelLengths, nodeHash, type Primitives } from '@sworn/verify'
import type { FileOps } from './file-ops.ts'
import { appendFile, readSlice, truncateFile } from './files.ts'

const HASH_BYTES = 32
const TILE_HEIGHT = 8
const TILE = 2 ** TILE_HEIGHT

export interface TreeFiles {
  /** Appends a leaf, here and to the frontier. */
  push(leaf: Uint8Array): void
  /** Writes what was pushed. */
  flush(): void
  /** Writes, then syncs one file or name a step; dropped in between, the rest stays to be synced. */
  syncing(): Generator<void>
}

export function levelPath(directory: string, level: number): string {
  return join(directory, `L${level}`)
}

/** Goes on where `frontier` stands: cuts every level to its size. The caller has checked that they are there. Each leaf is pushed to both. */
export function openTreeFiles(ops: FileOps, directory: string, frontier: Frontier): TreeFiles {
  cutLevels(ops, directory, frontier.size)
  const levels: Level[] = []
  const touched = new Set<number>()
  let named = 0 // levels whose names are known to be on disk
  function keep(level: number, hash: Uint8Array): void {
    levels[level] ??= createLevel()
    levels[level].push(hash)
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
      frontier.push(leaf)
      keep(0, leaf)
      for (let level = 1, width = TILE; frontier.size % width === 0; level++, width *= TILE)
        keep(level, frontier.newest(TILE_HEIGHT * level))
    },
    flush,
    *syncing() {
      flush()
      const wanted = flatLevelLengths(frontier.size).length
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

/** What was pushed to one level and is not written yet. */
interface Level {
  /** Copies the hash. */
  push(hash: Uint8Array): void
  /** What was pushed since the last call, valid until the next push. */
  take(): Uint8Array
}

function createLevel(): Level {
  let pending = new Uint8Array(TILE * HASH_BYTES)
  let used = 0
  return {
    push(hash) {
      if (used === pending.length) pending = Buffer.concat([pending, pending])
      for (let n = 0; n < HASH_BYTES; n++) pending[used + n] = hash[n]! // faster than `set`
      used += HASH_BYTES
    },
    take() {
      const taken = pending.subarray(0, used)
      used = 0
      return taken
    },
  }
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
