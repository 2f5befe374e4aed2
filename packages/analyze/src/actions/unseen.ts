/**
 * What an observer saw begin and nobody saw go on: calls without an end, and calls that a model asked for without a record.
 *
 * Found as `follow.ts` says, or when a quarter of an hour went by in the ledger; until then it may be under way.
 * @module
 */
import type { Entry } from '../reading/entry.ts'
import { createFollower, type Followed } from './follow.ts'
import { createObservations, type Observed } from './observations.ts'

export type UnseenCall = Pick<Followed, 'finding' | 'seq' | 'tool' | 'session_id' | 'timestamp'>

export interface Unseen {
  readonly no_outcome: number
  readonly announced_not_recorded: number
  /** Begun or announced lately: nothing is wrong yet. */
  readonly under_way: number
  readonly not_followed: number
  /** At most 20, oldest first. */
  readonly newest: readonly UnseenCall[]
}

export interface UnseenBuilder {
  /** In the order of the ledger. @param observed of the same entry, where the caller asked already */
  add(entry: Entry, observed?: Observed): void
  done(): Unseen
}

const MAX_SHOWN = 20
const LATE_MS = 15 * 60_000

export function createUnseen(): UnseenBuilder {
  const observations = createObservations()
  const follower = createFollower()
  const counts = { no_outcome: 0, announced_not_recorded: 0 }
  const newest: UnseenCall[] = []
  let now = 0

  function report(call: Followed): void {
    counts[call.finding]++
    newest.push(shownOf(call))
    if (newest.length > MAX_SHOWN) newest.shift()
  }

  return {
    add(entry, observed = observations.observe(entry)) {
      const time = timeOf(entry)
      now = Math.max(now, time)
      for (const call of follower.add(entry, observed, time)) report(call)
    },
    done() {
      const waiting = follower.waiting()
      const late = waiting.filter(({ time }) => now - time >= LATE_MS)
      const found = { ...counts }
      for (const { finding } of late) found[finding]++
      const shown = [...newest, ...late.map(shownOf)].toSorted((a, b) => a.seq - b.seq).slice(-MAX_SHOWN)
      return { ...found, under_way: waiting.length - late.length, not_followed: follower.dropped(), newest: shown }
    },
  }
}

function shownOf({ finding, seq, tool, session_id, timestamp }: Followed): UnseenCall {
  return { finding, seq, tool, session_id, timestamp }
}

/** Milliseconds; 0 when the entry says none. */
function timeOf({ timestamp }: Entry): number {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(time) ? 0 : time
}
