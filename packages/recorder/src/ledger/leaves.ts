/**
 * The leaves that will stand for pruned entries, held against the log while the entries are still there.
 *
 * Once their segments are gone, `tree/L0` is all that proves the tree below the new start: a byte that was changed there
 * would be found when nothing can mend it any more. The kept records are checked wherever they are read.
 * Source: docs/format.md, "Rotation, retention, pruning".
 * @module
 */
import { equalBytes, SwornError } from '@sworn/verify'
import type { Core } from './core.ts'
import { segmentStart } from './follow.ts'
import type { SegmentRef } from './layout.ts'
import { readHashes } from './tree-files.ts'

/** Leaves that are read at once. */
const AT_ONCE = 4096

/**
 * @param from first segment that is to go
 * @param until first segment that stays
 * @throws SwornError APPEND_REFUSED: the leaves of the entries between are not those that were signed
 */
export function checkLeaves(core: Core, from: SegmentRef, until: SegmentRef): void {
  const { env, tree } = core
  tree.flush()
  const [frontier, expected] = [from, until].map((ref) => segmentStart(env, ref, 0)?.frontier)
  if (!frontier || !expected) throw refuse('the tree at the start of a segment was expected in its log.segment', until)
  for (let at = from.firstSeq; at < until.firstSeq; at += AT_ONCE) {
    const leaves = readHashes(env.ops, env.layout.tree, 0, at, Math.min(at + AT_ONCE, until.firstSeq))
    for (const leaf of leaves) frontier.push(leaf)
  }
  if (frontier.size !== expected.size || !equalBytes(frontier.root(), expected.root()))
    throw refuse('tree/L0 was expected to give the root of the entries that are to go', until)
}

const refuse = (text: string, { firstSeq }: SegmentRef): SwornError =>
  new SwornError('APPEND_REFUSED', `${text}; nothing was pruned`, `seq=${firstSeq}`)
