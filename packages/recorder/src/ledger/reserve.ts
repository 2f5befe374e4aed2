/**
 * Reservations beside the appender, so that several processes share one limit.
 *
 * Token buckets live in memory; beyond 10,000 the one that was used longest ago goes first. After a restart or a
 * take-over a bucket is what the recorded decisions left of it. Budgets (`perMs: 0`) are counted from the records
 * alone. Several are taken together or not at all.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Reservation, Reserve } from '../port/types.ts'
import { LONGEST_RATE_MS, type RatesOnRecord } from './rates.ts'

const MAX_BUCKETS = 10_000

interface Bucket {
  tokens: number
  at: number
}

/** What is used of budgets. Each may throw: then nothing was taken. */
export interface BudgetCounters {
  used(counter: string): number
  hold(counter: string, amount: number): void
}

/** What one step would find; nothing is taken by looking. */
interface Look {
  readonly waitMs: number
  readonly used: number
  take(): void
}

type Step = Omit<Reserve, 'also'>

/**
 * Answers reservations in call order; `now` in milliseconds.
 * @param rates asked once, at the first question about a bucket; may throw, and is asked again then. Default: none
 */
export function createReservations(
  now: () => number,
  budgets: BudgetCounters,
  rates: () => RatesOnRecord = () => new Map(),
): (step: Reserve) => Reservation {
  const lookAtBucket = createBuckets(now, rates)
  return (step) => {
    const steps = [step, ...(step.also ?? [])]
    if (new Set(steps.map(({ key }) => key)).size < steps.length) throw new SwornError('APPEND_REFUSED', 'a key is reserved twice at once')
    const looks = steps.map((one) => (one.perMs === 0 ? lookAtBudget(budgets, one) : lookAtBucket(one)))
    const refused = looks.findIndex(({ waitMs }) => waitMs > 0)
    if (refused < 0) for (const look of looks) look.take()
    return {
      granted: refused < 0,
      retryAfterMs: looks[refused]?.waitMs ?? 0,
      ...(step.also && { used: looks.map(({ used }) => used), ...(refused >= 0 && { refused }) }),
    }
  }
}

/** An amount of 0 asks whether anything is left. */
function lookAtBudget(budgets: BudgetCounters, { key, amount, limit }: Step): Look {
  const used = budgets.used(key)
  const isShort = amount === 0 ? used >= limit : used + amount > limit
  return { used, waitMs: isShort ? Number.POSITIVE_INFINITY : 0, take: () => budgets.hold(key, amount) }
}

/** A full bucket, after what was taken from it at `times`. */
function replay(step: Step, times: readonly number[], now: number): Bucket {
  const bucket = { tokens: step.limit, at: times[0] ?? now }
  for (const time of times) {
    regain(bucket, step, Math.min(time, now))
    bucket.tokens = Math.max(0, bucket.tokens - 1)
  }
  return bucket
}

function regain(bucket: Bucket, { limit, perMs }: Step, at: number): void {
  bucket.tokens = Math.min(limit, bucket.tokens + (Math.max(0, at - bucket.at) * limit) / perMs)
  bucket.at = at
}

function createBuckets(now: () => number, rates: () => RatesOnRecord): (step: Step) => Look {
  const buckets = new Map<string, Bucket>()
  let before: Map<string, readonly number[]> | undefined
  return (step) => {
    if (step.perMs <= LONGEST_RATE_MS) before ??= new Map(rates())
    const at = now()
    const bucket = buckets.get(step.key) ?? replay(step, before?.get(step.key) ?? [], at)
    before?.delete(step.key) // counted in the bucket from here on
    regain(bucket, step, at)
    buckets.delete(step.key)
    buckets.set(step.key, bucket)
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? '')
    const isShort = bucket.tokens < step.amount
    return {
      used: step.limit - bucket.tokens,
      waitMs: isShort ? Math.ceil(((step.amount - bucket.tokens) * step.perMs) / step.limit) : 0,
      take() {
        bucket.tokens -= step.amount
      },
    }
  }
}
