/**
 * The tree of a log while it streams by, at every size that something may ask for, in bounded memory.
 *
 * A checkpoint in the log covers a size shortly before itself, so the last 65,536 leaves are kept, with the
 * edge at every 256th. A checkpoint beside the log is known beforehand: its size is kept when
 * the stream passes it.
 * @module
 */
import { createEdge, createFrontier, type Edge, foldRoot } from './frontier.ts'
import { hashInto, type Primitives } from './primitives.ts'

const WINDOW = 65_536
const STEP = 256
const STEPS = WINDOW / STEP
const HASH_BYTES = 32
/** A size this far back is not known any more. */
export const REACH = WINDOW - STEP

/** The subtrees of an edge, left to right. */
export type Hashes = readonly Uint8Array[]
/** Sizes that are asked for at the end, and the edge there once it is known. */
export type Kept = Map<number, Hashes | undefined>

/** The newest leaves of a window and the edge before them. */
export interface Tail {
  size: number
  hashes: Hashes
  /** 32 bytes each. */
  leaves: Uint8Array
}

export interface Window {
  readonly size: number
  /** Appends the leaf of `input`: 0x00 and the 32-byte entry hash. */
  push(input: Uint8Array): void
  /** Appends leaf hashes, 32 bytes each. */
  pushLeaves(leaves: Uint8Array): void
  /** The edge at a size; undefined when it lies beyond the present one, before the reach or before the start. */
  hashesAt(size: number): Hashes | undefined
  tail(): Tail
}

/**
 * Grows `edge`; sizes in `kept` get their edges when they are passed.
 * @param blocks room for leaves, of a window that is not used any more
 */
export function createWindow(p: Primitives, edge: Edge, kept: Kept, blocks: Uint8Array[] = []): Window {
  const first = { size: edge.size, hashes: edge.hashes() }
  // `blocks` is a ring: the leaves of 256 steps, 256 hashes each
  const steps: Hashes[] = [] // the edge at the start of each block
  const firstStep = Math.floor(edge.size / STEP) // so that a short window has room in the first blocks
  const blockOf = (size: number): Uint8Array =>
    (blocks[(Math.floor(size / STEP) - firstStep) % STEPS] ??= new Uint8Array(STEP * HASH_BYTES))
  const grow = (): void => {
    edge.push(blockOf(edge.size), placeOf(edge.size))
    keep()
  }
  const keep = (): void => {
    if (edge.size % STEP === 0) steps[(edge.size / STEP) % STEPS] = edge.hashes()
    if (kept.has(edge.size)) kept.set(edge.size, edge.hashes())
  }
  const stepBefore = (size: number): { size: number; hashes: Hashes } => {
    const step = size - (size % STEP)
    return step > first.size ? { size: step, hashes: steps[(step / STEP) % STEPS]! } : first
  }
  const rebuild = (size: number): Hashes => {
    const step = stepBefore(size)
    const replay = createEdge(p, edge.start)
    replay.append(step.size, step.hashes)
    while (replay.size < size) replay.push(blockOf(replay.size), placeOf(replay.size))
    return replay.hashes()
  }
  keep()
  return {
    get size() {
      return edge.size
    },
    push(input) {
      hashInto(p, 'sha256', input, blockOf(edge.size), placeOf(edge.size))
      grow()
    },
    pushLeaves(leaves) {
      for (let at = 0; at < leaves.length; at += HASH_BYTES) {
        blockOf(edge.size).set(leaves.subarray(at, at + HASH_BYTES), placeOf(edge.size))
        grow()
      }
    },
    hashesAt(size) {
      if (size === edge.size) return edge.hashes()
      const known = kept.get(size)
      if (known || size > edge.size || size < first.size || edge.size - size >= REACH) return known
      return rebuild(size)
    },
    tail() {
      const from = stepBefore(Math.max(first.size, edge.size - REACH))
      const leaves = new Uint8Array((edge.size - from.size) * HASH_BYTES)
      for (let at = from.size; at < edge.size; at++) {
        leaves.set(blockOf(at).subarray(placeOf(at), placeOf(at) + HASH_BYTES), (at - from.size) * HASH_BYTES)
      }
      return { ...from, leaves }
    },
  }
}

function placeOf(size: number): number {
  return (size % STEP) * HASH_BYTES
}

/** The roots of a log. */
export interface Roots {
  readonly size: number
  /** Appends the leaf of `input`: 0x00 and the 32-byte entry hash. */
  push(input: Uint8Array): void
  /** The root at a size, where `Window.hashesAt` knows the edge. */
  at(size: number): Uint8Array | undefined
  /** The edge at the present size. */
  hashes(): Hashes
  /** Enough to begin here again; without gaps between them. */
  tails(): readonly Tail[]
}

export interface GrowingRoots extends Roots {
  /** Appends a leaf hash. */
  pushLeaf(leaf: Uint8Array): void
}

/** @param start where the stream begins; its frontier is taken as given until a checkpoint proves it */
export function createRoots(p: Primitives, start: { size: number; hashes: Hashes }, kept: Kept): GrowingRoots {
  const window = createWindow(p, createFrontier(p, start), kept)
  return {
    get size() {
      return window.size
    },
    push: window.push,
    pushLeaf: window.pushLeaves,
    at: (size) => rootOf(p, window.hashesAt(size)),
    hashes: () => window.hashesAt(window.size)!,
    tails: () => [window.tail()],
  }
}

export function rootOf(p: Primitives, hashes: Hashes | undefined): Uint8Array | undefined {
  return hashes && foldRoot(p, hashes)
}
