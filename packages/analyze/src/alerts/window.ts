/**
 * A window that slides over event time in twentieths: what it holds does not grow with the number of events.
 *
 * It is never longer than said, and at most a twentieth shorter. Events that come late count in their own time, as
 * long as that lies at most one window behind. Plain arrays, because they are stored as JSON.
 * @module
 */

/** Step of time, count, sum, first seq, last seq; ascending by step. */
export type Step = [at: number, count: number, sum: number, first: number, last: number]

export interface Sum {
  readonly count: number
  readonly sum: number
  readonly first: number
  readonly last: number
}

const STEPS = 20
/** What late events may still meet: the window, and the one before. */
const KEPT = 2 * STEPS

/** Adds one event and returns the fullest windows that hold it: the one that ends with it first. */
export function addEvent(steps: Step[], { time, windowMs, sum, seq }: { time: number; windowMs: number; sum: number; seq: number }): Sum[] {
  const newest = steps.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY
  const at = Math.max(Math.floor((time * STEPS) / windowMs), newest - KEPT + 1)
  const place = steps.findLastIndex(([step]) => step <= at)
  const known = steps[place]
  if (known?.[0] === at) {
    known[1]++
    known[2] += sum
    known[3] = Math.min(known[3], seq)
    known[4] = Math.max(known[4], seq)
  } else steps.splice(place + 1, 0, [at, 1, sum, seq, seq])
  while (steps[0]![0] <= steps.at(-1)![0] - KEPT) steps.shift()
  const later = steps.at(-1)![0] === at ? [] : steps.flatMap(([step]) => (step > at && step < at + STEPS ? [step] : []))
  return [at, ...later].map((end) => sumUpTo(steps, end))
}

/** A loop and not a chain of functions: it runs for each event of each rule. */
function sumUpTo(steps: readonly Step[], end: number): Sum {
  const whole = { count: 0, sum: 0, first: Number.POSITIVE_INFINITY, last: 0 }
  for (const [step, count, sum, first, last] of steps) {
    if (step > end || step <= end - STEPS) continue
    whole.count += count
    whole.sum += sum
    whole.first = Math.min(whole.first, first)
    whole.last = Math.max(whole.last, last)
  }
  return whole
}

/** Forgets what lies further ahead than a window: the clock was set back. */
export function dropAhead(steps: Step[], time: number, windowMs: number): void {
  const limit = Math.floor(((time + windowMs) * STEPS) / windowMs)
  while (steps.length > 0 && steps.at(-1)![0] > limit) steps.pop()
}
