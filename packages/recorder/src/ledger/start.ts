/**
 * What every opening has in common: a core that did nothing yet, log.start, a descriptor that is let go when it fails.
 * @module
 */
import { GENESIS } from '@sworn/verify'
import { createBatch } from './batch.ts'
import { type Linked, linkReserved } from './commit.ts'
import type { Core } from './core.ts'
import { createCounters } from './counters.ts'

/** Links log.start: who writes from here on, and how the last writer ended. */
export function linkStart(core: Core, members: Record<string, unknown>): Linked {
  const { pid, host, version, scanner } = core.env
  return linkReserved(core, 'log.start', { pid, host, version, scanner, ...members, mono_ms: Math.round(performance.now()) })
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

/** A core before its first record: nothing synced, nothing due. */
export function blankState() {
  return {
    counters: createCounters(),
    signedAt: 0,
    durableSize: 0,
    synced: { size: 0, head: GENESIS },
    headWrittenAt: 0,
    derivedSince: 0,
    sessionsKept: 0,
    dirtyCount: 0,
    dirtySince: 0,
    batch: createBatch(),
  }
}
