/**
 * From what was found on the disk to a core: keys, tables, tree, the descriptor last.
 * @module
 */
import type { Core, Env } from './core.ts'
import { findKeys } from './found-keys.ts'
import { startedAt } from './look-back.ts'
import { keepReserved } from './mend.ts'
import { openOffsets } from './offsets.ts'
import { replayTables } from './replay.ts'
import { openSegment } from './segment.ts'
import { blankState } from './start.ts'
import type { Survey } from './survey.ts'
import { openTreeFiles } from './tree-files.ts'

/** The core of a ledger that was looked at. @throws SwornError LEDGER_STATE_MISSING, CONFIG_INVALID, KEY_INVALID */
export function assemble(env: Env, { found, followed, run, last }: Survey): Core {
  const { ops, layout } = env
  const tree = openTreeFiles(ops, layout.tree, followed.frontier)
  for (const leaf of followed.leaves) tree.push(leaf)
  tree.flush()
  const offsets = openOffsets(ops, layout.index, last, { count: followed.good - last.firstSeq, end: followed.end })
  keepReserved(env, found, followed)
  return {
    env,
    identity: found.identity,
    ...findKeys(env, found, followed),
    offsets,
    tree,
    frontier: followed.frontier,
    ...replayTables(env, run, followed.startSize),
    signed: followed.signed,
    size: followed.good,
    head: followed.head,
    segmentStartedAt: startedAt(env, last),
    ...blankState(),
    writer: openSegment(ops, last.path, { firstSeq: last.firstSeq, end: followed.end, durableEnd: 0 }), // last: nothing after it can fail
  }
}
