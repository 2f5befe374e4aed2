/**
 * The tree over a log's entry hashes, and its proofs.
 *
 *   leaf = SHA-256(0x00 | entry hash:32)     node = SHA-256(0x01 | left:32 | right:32)     empty = SHA-256("")
 *
 * Always SHA-256, whatever hash the chain uses. Proof checks follow RFC 9162 §2.1.3.2 and §2.1.4.2 with two
 * guards that a plain transcription lacks: every hash has 32 bytes, and size 0 proves nothing.
 * @module
 */
import { concat, equalBytes } from './bytes.ts'
import { SwornError } from './errors.ts'
import type { Primitives } from './primitives.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** The leaf of a 32-byte entry hash (any length is hashed, as RFC 6962 has it). */
export function leafHash(p: Primitives, entryHash: Uint8Array): Uint8Array {
  return p.hash('sha256', concat(LEAF, entryHash))
}

/** The parent of two 32-byte hashes. */
export function nodeHash(p: Primitives, left: Uint8Array, right: Uint8Array): Uint8Array {
  return p.hash('sha256', concat(NODE, left, right))
}

/** The root of the tree without leaves. */
export function emptyRoot(p: Primitives): Uint8Array {
  return p.hash('sha256', new Uint8Array(0))
}

/**
 * Checks that `leaf` is entry `index` of the tree whose root is `root` at `size`.
 *
 * @param leaf  leafHash of the entry hash, 32 bytes
 * @param index zero-based, `0 <= index < size <= 2^53-1`
 * @param proof siblings, leaf to root; at most 53 hashes of 32 bytes
 * @param root  the checkpoint's root, already signature-checked by the caller
 * @throws SwornError PROOF_INVALID when the path does not end at `root`; nothing is returned on success
 * @see RFC 9162 §2.1.3.2
 */
export function checkInclusion(
  p: Primitives,
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!equalBytes(rootFromInclusion(p, leaf, index, size, proof), root)) throw refuse('the path does not lead to the root')
}

/**
 * The root that an inclusion proof leads to, for proofs whose root is what a signature is over.
 *
 * @throws SwornError PROOF_INVALID when the path is not one of this place and size
 * @see RFC 9162 §2.1.3.2
 */
export function rootFromInclusion(p: Primitives, leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[]): Uint8Array {
  if (!isSize(index) || !isSize(size) || index >= size) throw refuse('an index below the size was expected')
  checkHashes(leaf, ...proof)
  let fn = index
  let sn = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (sn === 0) throw refuse('the proof is longer than the path')
    if (isOdd(fn) || fn === sn) {
      hash = nodeHash(p, sibling, hash)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else hash = nodeHash(p, hash, sibling)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  if (sn !== 0) throw refuse('the path does not lead to the root')
  return hash
}

/**
 * Checks that the tree of size `m` is a prefix of the tree of size `n`.
 *
 * @param m,n `1 <= m <= n <= 2^53-1`; size 0 is refused, because it is a prefix of everything
 * @throws SwornError PROOF_INVALID
 * @see RFC 9162 §2.1.4.2
 */
export function checkConsistency(
  p: Primitives,
  m: number,
  n: number,
  rootM: Uint8Array,
  rootN: Uint8Array,
  proof: readonly Uint8Array[],
): void {
  if (!equalBytes(rootFromConsistency(p, m, n, rootM, proof), rootN)) throw refuse('the path does not lead to both roots')
}

/**
 * The root at size `n` that a consistency proof leads to from the root at size `m`.
 *
 * @param m,n `1 <= m <= n <= 2^53-1`
 * @throws SwornError PROOF_INVALID when the path does not begin at `rootM`
 * @see RFC 9162 §2.1.4.2
 */
export function rootFromConsistency(p: Primitives, m: number, n: number, rootM: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  if (m === 0) throw refuse('a size above 0 was expected')
  return rootFromSubtree(p, { start: 0, end: m, size: n }, rootM, proof)
}

/**
 * Checks that the subtree over the leaves `[start, end)` lies in the tree of `size` with root `rootN`.
 *
 * @param range `start <= end <= size`, start a multiple of the smallest power of two that is at least `end - start`;
 *   an empty subtree has the empty root and an empty proof, whatever `rootN` is
 * @throws SwornError PROOF_INVALID
 * @see draft-ietf-plants-merkle-tree-certs §4.4; with start 0 it is RFC 9162 §2.1.4.2
 */
export function checkSubtree(
  p: Primitives,
  range: { start: number; end: number; size: number },
  subtreeRoot: Uint8Array,
  rootN: Uint8Array,
  proof: readonly Uint8Array[],
): void {
  const { start, end, size } = range
  if (start === end && isSubtree(start, end) && isSize(size) && end <= size) {
    if (proof.length > 0 || !equalBytes(subtreeRoot, emptyRoot(p))) throw refuse('an empty proof and the empty root were expected')
    return
  }
  if (!equalBytes(rootFromSubtree(p, range, subtreeRoot, proof), rootN)) throw refuse('the path does not lead to both roots')
}

/** The root of the tree, from a subtree of at least one leaf. */
function rootFromSubtree(
  p: Primitives,
  { start, end, size }: { start: number; end: number; size: number },
  subtreeRoot: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array {
  if (!isSubtree(start, end) || start === end || !isSize(size) || end > size) throw refuse('a subtree within the tree was expected')
  if (end - start === size) {
    if (proof.length > 0) throw refuse('an empty proof was expected')
    return subtreeRoot
  }
  checkHashes(subtreeRoot, ...proof)
  let [fn, sn, tn] = [start, end - 1, size - 1]
  while (fn !== sn && (sn === tn || isOdd(sn))) [fn, sn, tn] = [half(fn), half(sn), half(tn)]
  const whole = fn === sn // the subtree is one node of the tree: its root starts the path
  const first = whole ? subtreeRoot : proof[0]
  if (first === undefined) throw refuse('a non-empty proof was expected')
  let [inner, outer] = [first, first]
  for (const c of whole ? proof : proof.slice(1)) {
    if (tn === 0) throw refuse('the proof is longer than the path')
    if (isOdd(sn) || sn === tn) {
      if (fn < sn) inner = nodeHash(p, c, inner)
      outer = nodeHash(p, c, outer)
      while (!isOdd(sn) && sn !== 0) [fn, sn, tn] = [half(fn), half(sn), half(tn)]
    } else outer = nodeHash(p, outer, c)
    ;[fn, sn, tn] = [half(fn), half(sn), half(tn)]
  }
  if (tn !== 0 || !equalBytes(inner, subtreeRoot)) throw refuse('the path does not lead to both roots')
  return outer
}

function isSubtree(start: number, end: number): boolean {
  if (!isSize(start) || !isSize(end) || start > end) return false
  let width = 1
  while (width < end - start) width *= 2
  return start % width === 0
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0
}

function isOdd(n: number): boolean {
  return n % 2 === 1
}

function half(n: number): number {
  return Math.floor(n / 2) // not >>: sizes may pass 2^31
}

function checkHashes(...hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== 32)) throw refuse('hashes of 32 bytes were expected')
}

function refuse(message: string): SwornError {
  return new SwornError('PROOF_INVALID', message)
}
