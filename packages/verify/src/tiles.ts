/**
 * Tiles: where a tree's hashes are stored, and proofs read from them.
 *
 * Level k holds one hash for each 256^k entries, in flat files `L<k>` of 32-byte hashes. Tile n of a level is
 * its hashes [256 n, 256 n + width). Proof nodes between the levels are folded from one tile.
 * Source: C2SP tlog-tiles.md; RFC 9162 §2.1.3.1 and §2.1.4.1 for the proofs.
 * @module
 */
import { SwornError } from './errors.ts'
import { nodeHash } from './merkle.ts'
import type { Primitives } from './primitives.ts'

const TILE_HASHES = 256
const HASH_BYTES = 32
const MAX_LEVEL = 63

/** Level of a hash tile, or the bundles that hold the entries. */
export type TileLevel = number | 'entries'

/** Returns `count` hashes of flat level `level` from hash `start`: `32 * count` bytes. */
export type ReadHashes = (level: number, start: number, count: number) => Uint8Array

/** The path of a tile, `tile/<level>/<n>[.p/<width>]`; `width` 256 is a full tile. */
export function tilePath(level: TileLevel, n: number, width: number = TILE_HASHES): string {
  let path = String(n % 1000).padStart(3, '0')
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return `tile/${level}/${path}${width === TILE_HASHES ? '' : `.p/${width}`}`
}

/**
 * The tile that a path names.
 * @throws SwornError PROOF_INVALID for every path that `tilePath` does not write
 */
export function parseTilePath(path: string): { level: TileLevel; n: number; width: number } {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path)
  if (!match) throw new SwornError('PROOF_INVALID', 'a tile path was expected')
  const level = match[1] === 'entries' ? 'entries' : Number(match[1])
  const n = Number(match[2]!.replaceAll(/[x/]/g, ''))
  const width = Number(match[3] ?? TILE_HASHES)
  const inRange = (level === 'entries' || level <= MAX_LEVEL) && Number.isSafeInteger(n) && width >= 1 && width <= TILE_HASHES
  if (!inRange || tilePath(level, n, width) !== path) throw new SwornError('PROOF_INVALID', 'a canonical tile path was expected')
  return { level, n, width }
}

/** Hashes in each flat level file of a tree of `size`, level 0 first; empty for size 0. */
export function flatLevelLengths(size: number): number[] {
  const lengths: number[] = []
  for (let count = size; count > 0; count = Math.floor(count / TILE_HASHES)) lengths.push(count)
  return lengths
}

/** Full tiles and width of the partial one (0 when there is none) in each level of a tree of `size`. */
export function tileWidths(size: number): { full: number; partial: number }[] {
  return flatLevelLengths(size).map((count) => ({ full: Math.floor(count / TILE_HASHES), partial: count % TILE_HASHES }))
}

/**
 * The inclusion proof of entry `index` in the tree of `size`, for `checkInclusion`.
 *
 * @param read asked for whole tiles, each once: one a level on the way up, and the right edge's unless `edge` is given
 * @param edge the frontier's hashes at `size`; with it at most one tile a level is read, 4 up to 2^32 entries
 * @throws SwornError PROOF_INVALID when `0 <= index < size` does not hold
 */
export function proveInclusion(p: Primitives, read: ReadHashes, index: number, size: number, edge?: readonly Uint8Array[]): Uint8Array[] {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new SwornError('PROOF_INVALID', 'an index below the size was expected')
  }
  const nodes = createNodes(p, read, size, edge)
  const proof: Uint8Array[] = []
  for (let [from, to] = [0, size]; to - from > 1; ) {
    const middle = from + largestPowerBelow(to - from)
    proof.unshift(index < middle ? nodes.range(middle, to) : nodes.range(from, middle))
    ;[from, to] = index < middle ? [from, middle] : [middle, to]
  }
  return proof
}

/**
 * The proof that the tree of size `m` is a prefix of that of size `n`, for `checkConsistency`.
 * @throws SwornError PROOF_INVALID unless `1 <= m <= n`
 */
export function proveConsistency(p: Primitives, read: ReadHashes, m: number, n: number): Uint8Array[] {
  if (!Number.isSafeInteger(m) || !Number.isSafeInteger(n) || m < 1 || m > n) {
    throw new SwornError('PROOF_INVALID', 'sizes in ascending order from 1 were expected')
  }
  const nodes = createNodes(p, read, n)
  const proof: Uint8Array[] = []
  let [from, to] = [0, n]
  while (m !== to) {
    const middle = from + largestPowerBelow(to - from)
    proof.unshift(m <= middle ? nodes.range(middle, to) : nodes.range(from, middle))
    ;[from, to] = m <= middle ? [from, middle] : [middle, to]
  }
  return from === 0 ? proof : [nodes.range(from, to), ...proof]
}

interface Nodes {
  /** The root over the leaves `[from, to)`; `from` is a multiple of the smallest power of two that is at least `to - from`. */
  range(from: number, to: number): Uint8Array
}

function createNodes(p: Primitives, read: ReadHashes, size: number, edge?: readonly Uint8Array[]): Nodes {
  const lengths = flatLevelLengths(size)
  const tiles = new Map<string, Uint8Array>()
  const perfect = edge ? edgeNodes(size, edge) : new Map<string, Uint8Array>()
  const hashAt = (level: number, index: number): Uint8Array => {
    const n = Math.floor(index / TILE_HASHES)
    const key = `${level}/${n}`
    const tile = tiles.get(key) ?? read(level, n * TILE_HASHES, Math.min(TILE_HASHES, lengths[level]! - n * TILE_HASHES))
    tiles.set(key, tile)
    const at = (index % TILE_HASHES) * HASH_BYTES
    return tile.subarray(at, at + HASH_BYTES)
  }
  const range = (from: number, to: number): Uint8Array => {
    const width = to - from
    const level = levelOf(width)
    const known = perfect.get(`${from}/${width}`) ?? (level === undefined ? undefined : hashAt(level, from / width))
    if (known) return known
    const middle = from + largestPowerBelow(width)
    return nodeHash(p, range(from, middle), range(middle, to))
  }
  return { range }
}

/** The frontier's hashes by `start/width`. */
function edgeNodes(size: number, edge: readonly Uint8Array[]): Map<string, Uint8Array> {
  const nodes = new Map<string, Uint8Array>()
  let from = 0
  for (const hash of edge) {
    const width = largestPowerBelow(size - from + 1)
    nodes.set(`${from}/${width}`, hash)
    from += width
  }
  return nodes
}

/** k when `width` is 256^k, so that the node is stored itself. */
function levelOf(width: number): number | undefined {
  let level = 0
  let rest = width
  for (; rest % TILE_HASHES === 0; rest /= TILE_HASHES) level++
  return rest === 1 ? level : undefined
}

/** The largest power of two that is smaller than `n`, `n >= 2`. */
function largestPowerBelow(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}
