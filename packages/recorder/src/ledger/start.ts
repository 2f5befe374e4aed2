/**
 * log.start: the record every opening ends with.
 * @module
 */
import { type Linked, linkReserved } from './commit.ts'
import type { Core } from './core.ts'

/** Links log.start: who writes from here on, and how the last writer ended. */
export function linkStart(core: Core, members: Record<string, unknown>): Linked {
  const { pid, host, version } = core.env
  return linkReserved(core, 'log.start', { pid, host, version, ...members, mono_ms: Math.round(performance.now()) })
}
