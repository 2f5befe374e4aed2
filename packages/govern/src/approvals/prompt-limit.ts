/**
 * Approval fatigue: at most ten questions in any minute, and after one too many none for five minutes.
 *
 * Counted through `reserve`, so that several processes on one ledger share both. A minute is exact: each of
 * ten buckets holds one token that takes a minute to come back. The cool-down is a bucket of one token; asking
 * it for two takes nothing and tells by `retryAfterMs` whether the token is there.
 * Source: checklist A37, spec policy (head).
 * @module
 */
import type { Reservation, ReserveFn } from '@sworn/recorder'

export interface PromptLimitOptions {
  readonly reserve: ReserveFn
  /** Prefix of the counters. */
  readonly key: string
  readonly prompts: number
  readonly windowMs: number
  readonly coolDownMs: number
  /** Milliseconds that never run backwards. */
  readonly clock: () => number
}

/** `uncounted`: the counter does not answer, and what cannot be counted is not asked. */
export type PromptGrant = 'granted' | 'cooldown' | 'uncounted'

/** Takes one prompt. Never rejects. */
export function createPromptLimit(options: PromptLimitOptions): () => Promise<PromptGrant> {
  const { reserve, key, prompts, windowMs, coolDownMs, clock } = options
  const coolDown = { key: `${key}:cooldown`, limit: 1, perMs: coolDownMs }
  let coolUntil = Number.NEGATIVE_INFINITY // also survives a new appender, whose buckets are full
  let next = 0

  async function take(): Promise<PromptGrant> {
    if (clock() < coolUntil || isTaken(await reserve({ ...coolDown, amount: 2 }), coolDownMs)) return 'cooldown'
    for (let tried = 0; tried < prompts; tried++) {
      const slot = next
      next = (next + 1) % prompts
      const { granted } = await reserve({ key: `${key}:${slot}`, amount: 1, limit: 1, perMs: windowMs })
      if (granted) return 'granted'
    }
    coolUntil = clock() + coolDownMs
    await reserve({ ...coolDown, amount: 1 })
    return 'cooldown'
  }

  return () => take().catch(() => 'uncounted' as const)
}

/** Two tokens never are there; with one in the bucket the other one is `perMs` away. */
function isTaken({ granted, retryAfterMs }: Reservation, perMs: number): boolean {
  if (granted || !Number.isFinite(retryAfterMs)) throw new TypeError('a bucket that refuses more than its limit was expected')
  return retryAfterMs > perMs
}
