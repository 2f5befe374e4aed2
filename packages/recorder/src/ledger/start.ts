/**
 * The end of every opening: log.start, and a descriptor that is let go when it fails.
 * @module
 */
import { type Linked, linkReserved } from './commit.ts'
import type { Core } from './core.ts'

/** Links log.start: who writes from here on, and how the last writer ended. */
export function linkStart(core: Core, members: Record<string, unknown>): Linked {
  const { pid, host, version } = core.env
  return linkReserved(core, 'log.start', { pid, host, version, ...members, mono_ms: Math.round(performance.now()) })
}

/** Gives back `core` when `step` succeeded; closes its segment and throws when not. */
export function releasing(core: Core, step: () => void): Core {
  try {
    step()
    return core
  } catch (e) {
    core.writer.close()
    throw e
  }
}
