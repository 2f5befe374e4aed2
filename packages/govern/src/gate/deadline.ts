/**
 * How long one call may be judged: what is not judged in time is refused, never passed.
 *
 * Processor time, so that a busy machine refuses nothing that an idle one lets through; of judging, not of waiting: it
 * begins with the first look at the clock, behind counters and what is loaded once.
 * Source: issue "Govern" (a time budget per message).
 * @module
 */

/** Milliseconds for paths, commands and patterns of one call; what is looked for in its data has `max_scan_ms` of its own. */
export const MAX_JUDGE_MS = 750

const TOO_LONG = 'judging took too long'
/** Characters between two looks at the clock. */
const PER_LOOK = 16_384

/** Milliseconds of processor time: of this thread, of the process where that cannot be told. */
export function cpuMs(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage)()
  return (user + system) / 1000
}

/**
 * @param now milliseconds that never run backwards
 * @returns a function that throws RangeError once the time is over; it takes the characters that are looked at next, and
 * looks at the clock when they have added up
 */
export function createDeadline(now: () => number, maxMs = MAX_JUDGE_MS): (chars?: number) => void {
  let end: number | undefined
  let passed = 0
  return (chars = PER_LOOK) => {
    passed += chars
    if (passed < PER_LOOK) return
    passed = 0
    end ??= now() + maxMs
    if (now() > end) throw new RangeError(TOO_LONG)
  }
}

export function isTooLong(e: unknown): boolean {
  return e instanceof RangeError && e.message === TOO_LONG
}
