/**
 * Waits of one length share one timer: each call waits for its record, hardly one of them long.
 * @module
 */

export const LATE = Symbol('late')

/** Gives what `work` gives, or `LATE` when it takes longer than `ms` milliseconds. `work` must not reject. */
export type Patience = <T>(work: Promise<T>) => Promise<T | typeof LATE>

interface Wait {
  readonly dueMs: number
  readonly giveUp: () => void
}

/** The process lives on while something waits, and not for the timer alone. */
export function createPatience(ms: number): Patience {
  /** In the order of their ends. */
  const waits = new Set<Wait>()
  let timer: NodeJS.Timeout | undefined

  function arm(leftMs: number): void {
    timer = setTimeout(look, leftMs)
  }

  function look(): void {
    timer = undefined
    const nowMs = performance.now()
    for (const wait of waits) {
      if (wait.dueMs > nowMs) {
        arm(wait.dueMs - nowMs)
        break
      }
      waits.delete(wait)
      wait.giveUp()
    }
  }

  function add(wait: Wait): void {
    if (waits.size === 0) timer?.ref()
    waits.add(wait)
    if (timer === undefined) arm(ms)
  }

  function end(wait: Wait): void {
    waits.delete(wait)
    if (waits.size === 0) timer?.unref()
  }

  return (work) =>
    new Promise((resolve) => {
      const wait = { dueMs: performance.now() + ms, giveUp: () => resolve(LATE) }
      add(wait)
      void work.then((value) => {
        end(wait)
        resolve(value)
      })
    })
}
