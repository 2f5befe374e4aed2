/**
 * Token buckets in this process, for when nobody shares a limit: without a ledger, and in `aip-compat`.
 *
 * A bucket starts full with `limit` tokens and regains `limit` per `perMs`. Bounded: the bucket used
 * longest ago goes first. Several steps are taken together or not at all, as the appender does. Source: spec policy §6.2 step 2.
 * @module
 */
import type { Reserve, ReserveFn } from '@sworn/recorder'

const MAX_BUCKETS = 10_000

interface Bucket {
  tokens: number
  at: number
}

/** @param now milliseconds that never run backwards */
export function createTokenBuckets(now: () => number): ReserveFn {
  const buckets = new Map<string, Bucket>()

  function look({ key, limit, perMs }: Omit<Reserve, 'also'>): Bucket {
    const at = now()
    const bucket = buckets.get(key) ?? { tokens: limit, at }
    bucket.tokens = Math.min(limit, bucket.tokens + (Math.max(0, at - bucket.at) * limit) / perMs)
    bucket.at = at
    buckets.delete(key) // reinserted at the end: the map's order is the order of use
    buckets.set(key, bucket)
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? '')
    return bucket
  }

  return async (step) => {
    const looks = [step, ...(step.also ?? [])].map((one) => ({ ...one, bucket: look(one) }))
    const used = looks.map(({ limit, bucket }) => limit - bucket.tokens)
    const refused = looks.findIndex(({ amount, bucket }) => bucket.tokens < amount)
    const short = looks[refused]
    if (!short) for (const { amount, bucket } of looks) bucket.tokens -= amount
    return {
      granted: !short,
      retryAfterMs: short ? Math.ceil(((short.amount - short.bucket.tokens) * short.perMs) / short.limit) : 0,
      ...(step.also && { used, ...(short && { refused }) }),
    }
  }
}
