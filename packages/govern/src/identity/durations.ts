/**
 * Durations as AgentPolicy writes them: Go's form ("1h30m", "500ms", "0s"), and days for key periods ("7d").
 * Source: AIP v1alpha2 §3.7, §5.8.
 * @module
 */

export const DURATION = /^(?:0|(?:\d{1,9}(?:\.\d{1,6})?(?:ms|s|m|h|d))+)$/

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds, rounded; 0 for a text that `DURATION` does not match. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS], 0)) // the units of the pattern
}
