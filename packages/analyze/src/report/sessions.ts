/**
 * Sessions: how many, which are still open, and what those that ended say of themselves.
 * @module
 */
import { createOpenEnds } from './open-ends.ts'
import { amountOf, membersOf, type Part } from './part.ts'
import { createTally, type Tallied } from './tally.ts'
import { isLogRecord } from './totals.ts'

/** The counts of a `session_end`. Source: docs/format.md, event types. */
export const STATS = ['allowed', 'denied', 'approvals', 'dry_run', 'budget_exceeded', 'dlp_blocked', 'dlp_masked'] as const

export interface Sessions {
  readonly started: number
  readonly ended: number
  /** Began in the period and did not end in it. */
  readonly open: number
  /** Events by session. */
  readonly by_session: Tallied
  /** Sums over the sessions that ended. */
  readonly stats: Readonly<Record<(typeof STATS)[number], number>>
}

export function createSessions(): Part<Sessions> {
  const counts = { started: 0, ended: 0 }
  const stats = Object.fromEntries(STATS.map((name) => [name, 0])) as Record<(typeof STATS)[number], number> // of all names
  const open = createOpenEnds()
  const sessions = createTally()
  return {
    add({ event_type: type, metadata }, { sessionId }) {
      if (sessionId !== undefined && !isLogRecord(type)) sessions.add(sessionId)
      if (type === 'session_start') {
        counts.started++
        open.begin(sessionId)
      }
      if (type !== 'session_end') return
      counts.ended++
      open.end(sessionId)
      const said = membersOf(membersOf(metadata).stats)
      for (const name of STATS) stats[name] += amountOf(said[name]) ?? 0
    },
    done: () => ({ ...counts, open: open.done().open, by_session: sessions.done(), stats }),
  }
}
