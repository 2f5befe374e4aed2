/**
 * How long before a moment entries still count for what rules find at it.
 * @module
 */
import { durationMs } from './duration.ts'
import type { Rule } from './rule.ts'

/** What is usual is learnt for so long, beyond the time after which it counts. */
const USUAL_MS = 30 * 86_400_000

/**
 * Milliseconds that the rules look back together: windows, baselines and cool-downs whole, those twice, because a first one
 * that began before has to be over when the last one before the moment begins.
 * A value that was never seen is judged by what is usual, which has no end: 30 days of it.
 */
export function lookBackMs(rules: readonly Rule[]): number {
  return Math.max(0, ...rules.map(ownLookBackMs))
}

function ownLookBackMs({ window = '1h', cool_down: coolDown = window, deviation, rate, first_seen: firstSeen }: Rule): number {
  const usual = firstSeen ? durationMs(firstSeen.after) + USUAL_MS : 0
  const windows = durationMs(window) * (1 + (deviation?.windows ?? 0))
  return Math.max(usual, windows, rate ? durationMs(rate.per) : 0) + 2 * durationMs(coolDown)
}
