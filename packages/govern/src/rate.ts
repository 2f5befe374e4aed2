/**
 * Token buckets in this process, for when nobody shares a limit: without a ledger, and in `aip-compat`.
 *
 * A bucket starts full with `limit` tokens and regains `limit` per `perMs`. Bounded: the bucket used
 * longest ago goes first. Source: spec policy §6.2 step 2.
 * @module
 */
import type { ReserveFn } from '@sworn/recorder'

const MAX_BUCKETS = 10_000

interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** @param now milliseconds that never run backwards */
export function createTokenBuckets(now: () => number): ReserveFn {
  const buckets = new Map<string, Bucket>()
  return async ({ key, amount, limit, perMs }) => {
    const at = now()
    const last = buckets.get(key) ?? { tokens: limit, at }
    const tokens = Math.min(limit, last.tokens + (Math.max(0, at - last.at) * limit) / perMs)
    const granted = tokens >= amount
    buckets.delete(key) // reinserted at the end: the map's order is the order of use
    buckets.set(key, { tokens: granted ? tokens - amount : tokens, at })
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? '')
    return { granted, retryAfterMs: granted ? 0 : Math.ceil(((amount - tokens) * perMs) / limit) }
  }
}
