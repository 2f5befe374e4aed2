/**
 * The ranges of a block in which a sink differs from the ledger, found by the roots of subtrees.
 *
 * Asks for the root of a range; halves it where it is another. At 256 entries, a tile, the entries themselves are read.
 * Source: RFC 9162 §2.1; C2SP tlog-tiles (256).
 * @module
 */
import { createFrontier, equalBytes } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Holdings, Range } from '../holdings.ts'
import type { Block } from './expected.ts'

const TILE = 256
const HASH_BYTES = 32

/** The block in parts, in order: those that are equal by their root, and those that have to be read. */
export async function* differing(block: Block, holdings: Holdings, signal: AbortSignal): AsyncGenerator<{ range: Range; equal: boolean }> {
  if (!holdings.root || !block.inTree) yield { range: block, equal: false }
  else for (const range of aligned(block)) yield* descend(range, block, (asked) => holdings.root!(asked, signal))
}

async function* descend(
  range: Range,
  block: Block,
  rootOf: (range: Range) => Promise<Uint8Array | undefined>,
): AsyncGenerator<{ range: Range; equal: boolean }> {
  const theirs = await rootOf(range)
  const equal = theirs !== undefined && equalBytes(theirs, ourRoot(range, block))
  const half = (range.to - range.from) / 2
  if (equal || half < TILE) {
    yield { range, equal }
    return
  }
  yield* descend({ from: range.from, to: range.from + half }, block, rootOf)
  yield* descend({ from: range.from + half, to: range.to }, block, rootOf)
}

/** The largest subtrees that cover a range, left to right. */
function* aligned({ from, to }: Range): Generator<Range> {
  for (let at = from; at < to; ) {
    let width = 1
    while (at % (2 * width) === 0 && at + 2 * width <= to) width *= 2
    yield { from: at, to: at + width }
    at += width
  }
}

function ourRoot({ from, to }: Range, block: Block): Uint8Array {
  const frontier = createFrontier(nodePrimitives)
  for (let seq = from; seq < to; seq++) frontier.push(block.leaves, (seq - block.from) * HASH_BYTES)
  return frontier.root()
}
