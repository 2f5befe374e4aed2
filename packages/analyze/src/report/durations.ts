/**
 * Mean, maximum and percentiles of durations in bounded memory.
 *
 * Count, mean, least and most are exact. A percentile is the nearest rank's value within 0.5 %, for durations from
 * 1 ns to 31 years: logarithmic buckets, at most 4,150. Source: DDSketch (Masson, Rim, Lee, VLDB 2019) §2.
 * @module
 */

/** Relative error of a percentile. */
export const ACCURACY = 0.005
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
const LOG_GAMMA = Math.log(GAMMA)
const LEAST_MS = 1e-6
const MOST_MS = 1e12

/** In milliseconds; null when nothing was measured. */
export interface DurationSummary {
  readonly count: number
  readonly avg_duration_ms: number | null
  readonly max_duration_ms: number | null
  readonly p50_duration_ms: number | null
  readonly p95_duration_ms: number | null
  readonly p99_duration_ms: number | null
}

export interface Durations {
  /** What is no duration of 0 to 10^12 ms is left out. */
  add(ms: number | undefined): void
  done(): DurationSummary
}

export function createDurations(): Durations {
  const buckets = new Map<number, number>()
  let [count, sum, least, most] = [0, 0, Number.POSITIVE_INFINITY, 0]
  const quantile = (sorted: readonly (readonly [number, number])[], q: number): number => {
    let left = Math.ceil(q * count)
    const [key] = sorted.find(([, entries]) => (left -= entries) <= 0) ?? [0]
    return Math.min(most, Math.max(least, (2 * GAMMA ** key) / (GAMMA + 1)))
  }
  return {
    add(ms) {
      if (ms === undefined || !(ms >= 0 && ms <= MOST_MS)) return
      const key = Math.ceil(Math.log(Math.max(ms, LEAST_MS)) / LOG_GAMMA)
      buckets.set(key, (buckets.get(key) ?? 0) + 1)
      count++
      sum += ms
      least = Math.min(least, ms)
      most = Math.max(most, ms)
    },
    done() {
      const sorted = [...buckets].sort(([a], [b]) => a - b)
      const at = (q: number): number | null => (count === 0 ? null : quantile(sorted, q))
      return {
        count,
        avg_duration_ms: count === 0 ? null : sum / count,
        max_duration_ms: count === 0 ? null : most,
        p50_duration_ms: at(0.5),
        p95_duration_ms: at(0.95),
        p99_duration_ms: at(0.99),
      }
    },
  }
}
