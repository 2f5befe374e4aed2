/**
 * The right edge of a growing tree: the roots of its perfect subtrees, largest first.
 *
 * Enough to go on appending and to say the root at every size, in O(log n) memory and without reading
 * anything back. As many hashes as the size has one-bits.
 * @module
 */
import { SwornError } from './errors.ts'
import { emptyRoot } from './merkle.ts'
import type { Primitives } from './primitives.ts'

export interface Frontier {
  readonly size: number
  /** Appends one leaf hash (32 bytes); the frontier keeps the array. */
  push(leaf: Uint8Array): void
  /** The root at the present size. */
  root(): Uint8Array
  /** The perfect subtrees' roots, largest first. */
  hashes(): Uint8Array[]
  clone(): Frontier
}

/**
 * A frontier, empty or continued.
 *
 * @param from size and its perfect subtrees' roots, largest first, 32 bytes each; trusted by the caller or proved later
 * @throws SwornError PROOF_INVALID when the number of hashes does not fit the size, or one is not 32 bytes long
 */
export function createFrontier(p: Primitives, from?: { size: number; hashes: readonly Uint8Array[] }): Frontier {
  const stack = [...(from?.hashes ?? [])]
  let size = from?.size ?? 0
  if (!Number.isSafeInteger(size) || size < 0 || countOnes(size) !== stack.length || stack.some((hash) => hash.length !== 32)) {
    throw new SwornError('PROOF_INVALID', 'one 32-byte hash for each one-bit of the size was expected')
  }
  const scratch = new Uint8Array(65)
  scratch[0] = 1
  const node = (left: Uint8Array, right: Uint8Array): Uint8Array => {
    scratch.set(left, 1)
    scratch.set(right, 33)
    return p.hash('sha256', scratch)
  }
  return {
    get size() {
      return size
    },
    push(leaf) {
      let hash = leaf
      for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) hash = node(stack.pop()!, hash)
      stack.push(hash)
      size += 1
    },
    root: () => (size === 0 ? emptyRoot(p) : stack.reduceRight((right, left) => node(left, right))),
    hashes: () => [...stack],
    clone: () => createFrontier(p, { size, hashes: stack }),
  }
}

function countOnes(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}
