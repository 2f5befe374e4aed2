/**
 * What is due by the clock: checkpoints, rotation by age, idle sessions, upkeep.
 *
 * Each call does little, so that commits come in between: of a checkpoint one step, of the upkeep one.
 * @module
 */
import { endIdleSession } from './admit.ts'
import { checkpointDueAt, checkpointWhenDue } from './checkpoints.ts'
import { derivedDueAt, write, writeDerived } from './commit.ts'
import type { Core } from './core.ts'
import { followRename, movedAway, rotate, rotationDue } from './rotation.ts'
import type { State } from './state.ts'

const IDLE_SESSION_MS = 86_400_000

/** Does what is due. Never throws: a failure poisons, and the next append says so. */
export function tick(state: State): void {
  try {
    state.attempt((core) => {
      if (movedAway(core)) followRename(core)
      followClock(core)
      for (const id of core.sessions.idle(core.env.now() - IDLE_SESSION_MS)) endIdleSession(core, id)
      write(core)
      if (core.env.now() >= derivedDueAt(core)) writeDerived(core)
      checkpointWhenDue(core)
      if (rotationDue(core)) rotate(core)
      state.upkeep.step()
    })
  } catch {
    // poisoned or refused: the next append says so
  }
}

/** When `tick` is wanted next, milliseconds of the injected clock. */
export function nextTickAt(state: State): number {
  if (state.poisoned) return Number.POSITIVE_INFINITY
  const { core, upkeep } = state
  followClock(core)
  const idle = core.sessions.oldest()
  const { rotateMs, now } = core.env
  return Math.min(
    checkpointDueAt(core),
    derivedDueAt(core),
    core.size > core.writer.firstSeq + 1 ? core.segmentStartedAt + rotateMs : Number.POSITIVE_INFINITY,
    idle === undefined ? Number.POSITIVE_INFINITY : idle + IDLE_SESSION_MS + 1,
    upkeep.pending() ? now() : Number.POSITIVE_INFINITY,
  )
}

/** A clock that was set back: what waits for a moment waits from now on, not until the old time comes again. */
function followClock(core: Core): void {
  const now = core.env.now()
  core.signedAt = Math.min(core.signedAt, now)
  core.derivedSince = Math.min(core.derivedSince, now)
  core.dirtySince = Math.min(core.dirtySince, now)
  core.segmentStartedAt = Math.min(core.segmentStartedAt, now)
}
