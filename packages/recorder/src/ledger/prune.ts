/**
 * Retention: whole old segments go, their leaves and the reserved records stay.
 *
 * log.prune is on disk and below a signed size before anything is deleted, and what is to be archived is in the archive,
 * on disk, before log.prune is written. A crash in between leaves segments below the number that log.prune names; the next
 * pruning removes them without another record. Below the new start `tree/` cannot be derived any more.
 * Source: docs/format.md, "Rotation, retention, pruning".
 * @module
 */
import { basename, join, relative, sep } from 'node:path'
import { SwornError } from '@sworn/verify'
import { forgetRowsOf } from '../vault/forget.ts'
import { checkpoint } from './checkpoints.ts'
import { linkReserved, sync } from './commit.ts'
import type { Core } from './core.ts'
import { holdsSame, makeDirectory, replaceFrom } from './files.ts'
import { findIdentity } from './identity.ts'
import { namedSegments, resolveLinks, type SegmentRef } from './layout.ts'
import { checkLeaves } from './leaves.ts'
import { offsetsPath } from './offsets.ts'
import { packedName } from './packed.ts'

export interface PrunePolicy {
  /** Said in log.prune. */
  readonly policy: string
  /** A directory outside the ledger: the segments are put there first. Said in log.prune. */
  readonly archivedTo?: string
  /** Needed as long as no anchor is configured: whoever holds the key could deny what was pruned. */
  readonly unanchored: boolean
}

/**
 * Drops every closed segment whose records all lie below `upTo`, and what an earlier pruning left behind.
 *
 * @returns seq of log.prune; undefined when only leftovers went
 * @throws SwornError APPEND_REFUSED when nothing anchors the ledger and `unanchored` is false, no segment ends below `upTo`, the
 *   archive holds another ledger's, or tree/L0 does not hold the leaves of what would go
 */
export function prune(core: Core, upTo: number, policy: PrunePolicy): number | undefined {
  if (!policy.unanchored)
    throw new SwornError('APPEND_REFUSED', 'no anchor holds this ledger; pruning it must say `unanchored`', 'unanchored')
  if (policy.archivedTo !== undefined) checkOutside(core, policy.archivedTo)
  core.writer.check() // a writer whose place another took deletes nothing
  const left = dropPruned(core)
  const closed = closedSegments(core)
  const starts = [...closed.map((ref) => ref.firstSeq), core.writer.firstSeq]
  const minimum = starts.filter((seq) => seq <= upTo).at(-1) ?? 0
  if (minimum <= (starts[0] ?? 0)) {
    if (left > 0) return undefined
    throw new SwornError('APPEND_REFUSED', 'no whole segment lies below the given number', `seq=${upTo}`)
  }
  const old = closed.filter((segment) => segment.firstSeq < minimum)
  const stays = closed.find((segment) => segment.firstSeq === minimum) ?? { firstSeq: minimum, path: core.writer.path }
  checkLeaves(core, old[0]!, stays) // minimum lies behind the first start
  if (policy.archivedTo !== undefined) for (const ref of old) archive(core, ref, policy.archivedTo)
  const { seq } = linkReserved(core, 'log.prune', { minimum_index: minimum, policy: policy.policy, archived_to: policy.archivedTo ?? null })
  sync(core)
  checkpoint(core)
  sync(core)
  drop(core, old, policy.archivedTo !== undefined)
  return seq
}

function checkOutside({ env: { ops, layout } }: Core, directory: string): void {
  const inside = relative(layout.root, resolveLinks(ops, directory))
  if (inside !== '..' && !inside.startsWith(`..${sep}`))
    throw new SwornError('APPEND_REFUSED', 'an archive outside of the ledger was expected', directory)
}

function closedSegments(core: Core): SegmentRef[] {
  return namedSegments(core.env.ops, core.env.layout).filter((ref) => ref.path !== core.writer.path)
}

/** Removes what lies below a log.prune of before. Returns how many segments that were. */
function dropPruned(core: Core): number {
  const { prunedBelow = 0, prunedToArchive = false } = findIdentity(core.env, closedSegments(core)) ?? {}
  const left = closedSegments(core).filter((ref) => ref.firstSeq < prunedBelow)
  if (left.length === 0) return 0
  checkpoint(core) // the crash may have come before the signature over log.prune
  sync(core)
  drop(core, left, prunedToArchive)
  return left.length
}

/** What was committed in them goes with them, unless an archive keeps their lines. */
function drop(core: Core, segments: readonly SegmentRef[], isArchived: boolean): void {
  const { ops, layout } = core.env
  const paths = segments.map(({ path }) => path)
  if (!isArchived) forgetRowsOf(core.env, paths)
  for (const ref of segments) {
    while (ops.stat(ref.path)) ops.unlink(ref.path) // plain, and packed where a crash left both
    const offsets = offsetsPath(layout.index, ref.firstSeq)
    if (ops.stat(offsets)) ops.unlink(offsets)
  }
  ops.syncDirectory(layout.segments)
}

/**
 * Copies the segment, packed as it is, under its own name; one that is there already is made anew.
 * @throws SwornError APPEND_REFUSED where another one is there: segments of all ledgers have the same names
 */
function archive({ env: { ops } }: Core, ref: SegmentRef, directory: string): void {
  makeDirectory(ops, directory)
  const path = (ref.packed && packedName(ops, ref.path)) ?? ref.path
  const fd = ops.open(path, 'read')
  try {
    const [target, { size }] = [join(directory, basename(path)), ops.fstat(fd)]
    if (ops.stat(target) && !holdsSame(ops, target, fd, size))
      throw new SwornError(
        'APPEND_REFUSED',
        'another segment of this name is in the archive; give each ledger an archive of its own',
        target,
      )
    replaceFrom(ops, target, fd, size)
  } finally {
    ops.close(fd)
  }
}
