/**
 * What the routes know of themselves besides counts: how long answers take, which policy is in force, whose sessions live.
 *
 * By AIP's names; bounded, and from the start of this process on. Source: AIP v1alpha2 §6.4.2, checklist A35.
 * @module
 */
import type { TokenFacts } from '../identity/index.ts'
import type { Sample } from './counters.ts'

export interface Live {
  /** An answer of /v1/validate took so long. */
  took(ms: number): void
  /** A token that counts was presented. */
  saw(facts: TokenFacts): void
  ended(sessionId: string): void
  /** @param policyHash of the policy in force, where there is one @param nowMs milliseconds since 1970 */
  samples(policyHash: string | undefined, nowMs: number): readonly Sample[]
}

const MAX_SESSIONS = 10_000
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000]

export function createLive(): Live {
  /** To the end of the newest token that was presented; the session seen longest ago comes first. */
  const sessions = new Map<string, number>()
  const counts = new Array<number>(BOUNDS_MS.length + 1).fill(0)
  let sumMs = 0
  return {
    took(ms) {
      const bound = BOUNDS_MS.findIndex((one) => ms <= one)
      const place = bound < 0 ? BOUNDS_MS.length : bound
      counts[place] = (counts[place] ?? 0) + 1
      sumMs += ms
    },
    saw({ sessionId, expiresAt }) {
      sessions.delete(sessionId)
      sessions.set(sessionId, Date.parse(expiresAt))
      const [oldest = sessionId] = sessions.keys()
      if (sessions.size > MAX_SESSIONS) sessions.delete(oldest)
    },
    ended: (sessionId) => void sessions.delete(sessionId),
    samples(policyHash, nowMs) {
      const alive = Array.from(sessions.values()).filter((untilMs) => untilMs > nowMs).length
      return [
        {
          name: 'aip_active_sessions',
          help: 'Sessions whose newest presented token still counts',
          type: 'gauge',
          labels: {},
          value: alive,
        },
        ...(policyHash === undefined ? [] : [{ ...HASH, labels: { hash: policyHash }, value: 1 }]),
        ...toHistogram(counts, sumMs),
      ]
    },
  }
}

const HASH = { name: 'aip_policy_hash', help: 'The policy in force', type: 'gauge' } as const
const DURATION = { name: 'aip_request_duration_seconds', help: 'Validation requests, to the answer', type: 'histogram' } as const

/** Buckets hold what the ones before them hold. */
function toHistogram(counts: readonly number[], sumMs: number): readonly Sample[] {
  let count = 0
  const buckets = counts.map((amount, n): Sample => {
    count += amount
    const bound = BOUNDS_MS[n]
    return { ...DURATION, suffix: '_bucket', labels: { le: bound === undefined ? '+Inf' : String(bound / 1000) }, value: count }
  })
  return [
    ...buckets,
    { ...DURATION, suffix: '_sum', labels: {}, value: sumMs / 1000 },
    { ...DURATION, suffix: '_count', labels: {}, value: count },
  ]
}
