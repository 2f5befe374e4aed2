/**
 * Retention: whole old segments go, their leaves and the reserved records stay.
 *
 * log.prune is on disk and below a signed size before anything is deleted; a crash in between leaves
 * segments that the next pruning removes. Below the new start `tree/` cannot be derived any more.
 * Source: docs/format.md, "Rotation, retention, pruning".
 * @module
 */
import { SwornError } from '@sworn/verify'
import { checkpoint } from './checkpoints.ts'
import { linkReserved, sync } from './commit.ts'
import type { Core } from './core.ts'
import { namedSegments } from './layout.ts'
import { offsetsPath } from './offsets.ts'

export interface PrunePolicy {
  /** Said in log.prune. */
  readonly policy: string
  /** Where the segments were archived, when they were. */
  readonly archivedTo?: string
  /** Needed as long as no anchor is configured: whoever holds the key could deny what was pruned. */
  readonly unanchored: boolean
}

/**
 * Drops every closed segment whose records all lie below `upTo`.
 *
 * @throws SwornError APPEND_REFUSED when nothing anchors the ledger and `unanchored` is false, or no segment ends below `upTo`
 */
export function prune(core: Core, upTo: number, policy: PrunePolicy): void {
  if (!policy.unanchored)
    throw new SwornError('APPEND_REFUSED', 'no anchor holds this ledger; pruning it must say `unanchored`', 'unanchored')
  const { ops, layout } = core.env
  const closed = namedSegments(ops, layout).filter((ref) => ref.path !== core.writer.path)
  const starts = [...closed.map((ref) => ref.firstSeq), core.writer.firstSeq]
  const minimum = starts.filter((seq) => seq <= upTo).at(-1) ?? 0
  if (minimum <= (starts[0] ?? 0)) throw new SwornError('APPEND_REFUSED', 'no whole segment lies below the given number', `seq=${upTo}`)
  linkReserved(core, 'log.prune', { minimum_index: minimum, policy: policy.policy, archived_to: policy.archivedTo ?? null })
  sync(core)
  checkpoint(core)
  sync(core)
  for (const ref of closed.filter((segment) => segment.firstSeq < minimum)) {
    ops.unlink(ref.path)
    const offsets = offsetsPath(layout.index, ref.firstSeq)
    if (ops.stat(offsets)) ops.unlink(offsets)
  }
  ops.syncDirectory(layout.segments)
}
