/**
 * Token buckets beside the appender, so that several processes share one limit.
 *
 * Counters live in memory: a take-over starts with full buckets. Bounded: the bucket that was used
 * longest ago goes first.
 * @module
 */
import type { Reservation, Reserve } from '../port/types.ts'

const MAX_BUCKETS = 10_000

interface Bucket {
  tokens: number
  at: number
}

/** Answers reservations in call order; `now` in milliseconds. */
export function createBuckets(now: () => number): (step: Reserve) => Reservation {
  const buckets = new Map<string, Bucket>()
  return (step) => {
    const at = now()
    const bucket = buckets.get(step.key) ?? { tokens: step.limit, at }
    const regained = (Math.max(0, at - bucket.at) * step.limit) / step.perMs
    bucket.tokens = Math.min(step.limit, bucket.tokens + regained)
    bucket.at = at
    buckets.delete(step.key)
    buckets.set(step.key, bucket)
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? '')
    if (bucket.tokens < step.amount)
      return { granted: false, retryAfterMs: Math.ceil(((step.amount - bucket.tokens) * step.perMs) / step.limit) }
    bucket.tokens -= step.amount
    return { granted: true, retryAfterMs: 0 }
  }
}
