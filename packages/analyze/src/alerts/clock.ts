/**
 * Event time: the newest timestamp so far, which is a claim of whoever wrote the entry.
 *
 * A time ahead of the wall clock counts as now; one more than an hour behind leaves the clock alone and counts as new,
 * so it hides nothing. Only a long run of entries behind sets the clock back: then it was the clock that was wrong.
 * @module
 */
import type { Entry } from '../reading/entry.ts'

export interface Clock {
  time: number | null
  /** Entries in a row that were late. */
  late: number
}

const AHEAD_MS = 300_000
const LATE_MS = 3_600_000
/** So many of them in a row mean that the clock was set back. */
const LATE_RUN = 64

/** The time of an entry, and the newest; changes `clock`. */
export function advanceClock(clock: Clock, { timestamp }: Entry, now: number): { time: number; newest: number } {
  const claimed = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  const time = Number.isNaN(claimed) ? (clock.time ?? now) : Math.min(claimed, now + AHEAD_MS)
  if (clock.time === null || time >= clock.time) return { time, newest: set(clock, time) }
  clock.late = time < clock.time - LATE_MS ? clock.late + 1 : 0
  return { time, newest: clock.late < LATE_RUN ? clock.time : set(clock, time) }
}

function set(clock: Clock, time: number): number {
  clock.time = time
  clock.late = 0
  return time
}
