/**
 * The records that an opening leaves, and the copies it rewrites.
 *
 * log.segment in an empty segment, log.recovered, log.gap once for each vanished segment, log.start.
 * Source: docs/format.md, "Opening and recovery".
 * @module
 */
import { noteAnchors } from './anchors.ts'
import { publish } from './checkpoints.ts'
import { linkReserved, sync, writeHead } from './commit.ts'
import type { Core } from './core.ts'
import { settlePending } from './key-rotation.ts'
import { rememberPlace } from './ledgers-index.ts'
import { segmentsSaidGone, stoppedClean } from './look-back.ts'
import { mendNotes } from './mend.ts'
import type { Recovered } from './recovery.ts'
import { linkSegment, replaceActive, rotate } from './rotation.ts'
import { linkStart } from './start.ts'
import type { Survey } from './survey.ts'

export interface Beginning extends Survey {
  readonly recovered: Recovered | undefined
  /** True after a failure in this process: goes on in a new segment. */
  readonly fresh: boolean
}

/** Everything up to a synced log.start. @throws as every write */
export function begin(core: Core, opening: Beginning): void {
  const oldKeyKept = settlePending(core)
  const { activeFile } = core.env.layout
  if (activeFile !== undefined && opening.last.path !== activeFile) replaceActive(core, activeFile)
  else if (core.writer.end === 0) linkSegment(core)
  else if (opening.fresh) rotate(core)
  if (opening.recovered) linkReserved(core, 'log.recovered', { ...opening.recovered })
  noteMissing(core, opening)
  linkStart(core, {
    previous_stop: !opening.recovered && !opening.fresh && stoppedClean(core.env, opening) ? 'clean' : 'unclean',
    unsigned_from: core.signed.size,
    found: opening.followed.good,
    ...(opening.place.movedFrom !== undefined && { moved_from: opening.place.movedFrom }),
    ...(opening.invalid.length > 0 && { state_invalid: opening.invalid }),
    ...(oldKeyKept && { old_key_kept: true }),
  })
  noteAnchors(core)
  sync(core)
  writeHead(core)
  rememberPlace(core.env, opening.place, core.identity, core.signed.size)
  publish(core)
  mendNotes(core.env)
}

/** Each vanished segment is said once: the recorded gaps are looked up before. */
function noteMissing(core: Core, opening: Beginning): void {
  if (opening.missing.length === 0) return
  const said = segmentsSaidGone(core.env, opening.run)
  for (const { first, last } of opening.missing) {
    if (said.has(first)) continue
    linkReserved(core, 'log.gap', { severity: 'critical', first_seq: first, last_seq: last, reason: 'segment_missing' })
  }
}
