/**
 * The roots of a log while it streams by, in bounded memory.
 *
 * A checkpoint in the log covers a size shortly before itself, so the last 65,536 leaves are kept, with the
 * frontier at every 256th. A checkpoint beside the log is known beforehand: its root is kept when
 * the stream passes its size.
 * @module
 */
import { createFrontier, type Frontier } from './frontier.ts'
import type { Primitives } from './primitives.ts'

const WINDOW = 65_536
const STEP = 256
const STEPS = WINDOW / STEP

export interface Roots {
  readonly size: number
  /** Appends one leaf hash. */
  push(leaf: Uint8Array): void
  /** The root at a size; undefined when it lies beyond the present one, before the window or before the start. */
  at(size: number): Uint8Array | undefined
}

/**
 * @param start where the stream begins; its frontier is taken as given until a checkpoint proves it
 * @param wanted sizes whose roots are kept for the end
 */
export function createRoots(p: Primitives, start: { size: number; hashes: readonly Uint8Array[] }, wanted: ReadonlySet<number>): Roots {
  const frontier = createFrontier(p, start)
  const blocks: Uint8Array[] = [] // a ring: the leaves of 256 steps, 256 hashes each
  const steps: Frontier[] = [] // the frontier at the start of each block
  const kept = new Map<number, Uint8Array>()
  const keep = (): void => {
    if (wanted.has(frontier.size)) kept.set(frontier.size, frontier.root())
    if (frontier.size % STEP === 0) steps[(frontier.size / STEP) % STEPS] = frontier.clone()
  }
  const rebuild = (size: number): Uint8Array | undefined => {
    if (frontier.size - size >= WINDOW - STEP) return undefined
    const step = size - (size % STEP)
    const from = step > start.size ? steps[(step / STEP) % STEPS]! : first
    const replay = from.clone()
    const block = blocks[(step / STEP) % STEPS]!
    while (replay.size < size) {
      const at = (replay.size % STEP) * 32
      replay.push(block.slice(at, at + 32))
    }
    return replay.root()
  }
  const first = frontier.clone()
  keep()
  return {
    get size() {
      return frontier.size
    },
    push(leaf) {
      const block = Math.floor(frontier.size / STEP) % STEPS
      blocks[block] ??= new Uint8Array(STEP * 32)
      blocks[block].set(leaf, (frontier.size % STEP) * 32)
      frontier.push(leaf)
      keep()
    },
    at: (size) =>
      size > frontier.size || size < start.size ? undefined : size === frontier.size ? frontier.root() : (kept.get(size) ?? rebuild(size)),
  }
}
