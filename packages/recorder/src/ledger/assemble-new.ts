/**
 * The core of a ledger that has no record yet: its first segment, empty.
 * @module
 */
import { join } from 'node:path'
import { createFrontier, GENESIS, SwornError } from '@sworn/verify'
import { openCheckpoint } from '../signers/notes.ts'
import type { Core, Env } from './core.ts'
import { segmentName } from './layout.ts'
import type { Created } from './new-identity.ts'
import { openOffsets } from './offsets.ts'
import { replayTables } from './replay.ts'
import { openSegment } from './segment.ts'
import { blankState } from './start.ts'
import { openTreeFiles } from './tree-files.ts'

/** @throws SwornError KEY_INVALID when the key that was made does not verify what it signs */
export function assembleNew(env: Env, created: Created): Core {
  const { ops, layout } = env
  const path = layout.activeFile ?? join(layout.segments, segmentName(0))
  createEmpty(env, path)
  const epochs = [{ key: created.signer.key }]
  const signed = openCheckpoint(created.note, created.identity.origin, epochs)
  if (!signed) throw new SwornError('KEY_INVALID', 'the key that was made does not verify', created.keys.directory)
  const frontier = createFrontier(env.primitives)
  return {
    env,
    ...created,
    offsets: openOffsets(ops, layout.index, { firstSeq: 0, path }, { count: 0, end: 0 }),
    tree: openTreeFiles(ops, layout.tree, frontier),
    frontier,
    ...replayTables(env, [], 0),
    epochs,
    signed,
    size: 0,
    head: GENESIS,
    segmentStartedAt: env.now(),
    ...blankState(),
    writer: openSegment(ops, path, { firstSeq: 0, end: 0, durableEnd: 0 }), // last: nothing after it can fail
  }
}

function createEmpty(env: Env, path: string): void {
  const fd = env.ops.open(path, 'append')
  try {
    env.ops.fsync(fd)
  } finally {
    env.ops.close(fd)
  }
  env.ops.syncDirectory(join(path, '..'))
}
