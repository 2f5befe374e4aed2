/**
 * Calls that nobody saw end, and calls that a model asked for and nobody recorded, for the rules that look for them.
 *
 * One follower for each grace time that a rule has, and one look at who observed what for all of them. Source: actions/follow.ts.
 * @module
 */
import { createFollower, createObservations, type StoredFollower, type StoredObservations } from '../actions/index.ts'
import type { Entry } from '../reading/entry.ts'
import type { FoundUnseen } from './order.ts'

/** Plain JSON. */
export interface CallsState {
  readonly observations: StoredObservations
  /** By grace time in milliseconds. */
  readonly followers: Readonly<Record<string, StoredFollower>>
}

export interface Calls {
  /** @param newest of event time */
  take(entry: Entry, newest: number): FoundUnseen[]
  /** What waits for longer than its grace time at `now`. */
  late(now: number): FoundUnseen[]
  state(): CallsState
}

/** Undefined where no rule looks for calls. @param onForgotten told for each call that is let go because there are too many */
export function createCalls(windows: readonly number[], stored: CallsState | undefined, onForgotten: () => void): Calls | undefined {
  if (windows.length === 0) return undefined
  const observations = createObservations(stored?.observations)
  const followers = [...new Set(windows)].map((windowMs) => ({ windowMs, follower: createFollower(stored?.followers[windowMs]) }))
  let forgotten = 0

  function tellForgotten(): void {
    const dropped = followers.reduce((sum, { follower }) => sum + follower.dropped(), 0)
    for (; forgotten < dropped; forgotten++) onForgotten()
  }

  return {
    take(entry, newest) {
      const observed = observations.observe(entry)
      const found = followers.flatMap(({ windowMs, follower }) =>
        follower.add(entry, observed, newest).map((what) => ({ what, windowMs, time: newest })),
      )
      tellForgotten()
      return found
    },
    late: (now) =>
      followers.flatMap(({ windowMs, follower }) =>
        follower.late(now - windowMs).map((what) => ({ what, windowMs, time: what.time + windowMs })),
      ),
    state: () => ({
      observations: observations.stored(),
      followers: Object.fromEntries(followers.map(({ windowMs, follower }) => [windowMs, follower.stored()])),
    }),
  }
}
