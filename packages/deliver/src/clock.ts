/**
 * Time and chance as values, so that tests own them. Waiting is by the monotonic clock: a wall clock that jumps
 * shortens and lengthens nothing.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds since 1970, for people. */
  now(): number
  /** Milliseconds, monotonic. */
  elapsed(): number
  /** Resolves after `ms` or when the signal aborts; keeps no process alive. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** 0 <= x < 1. */
  random(): number
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
  random: Math.random,
}

export interface Backoff {
  /** Milliseconds. */
  readonly firstMs: number
  readonly maxMs: number
}

const MAX_ASKED_MS = 3_600_000

/**
 * Full jitter: anywhere below a bound that doubles. A wait that the sink asked for is kept, up to an hour.
 * @param attempt from 0
 */
export function delayOf(attempt: number, { firstMs, maxMs }: Backoff, random: number, askedMs = 0): number {
  const bound = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
  return Math.max(Math.min(Math.max(askedMs, 0), MAX_ASKED_MS), random * bound)
}
