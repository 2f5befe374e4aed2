/**
 * A caller that leaves at most so many events unanswered, and goes on when half of them are answered.
 *
 * For those whose memory would otherwise hold the whole burst; waiting for all would let the other thread run dry.
 * @module
 */

const MOST_UNANSWERED = 2048

export interface Pressure {
  sent(): void
  answered(): void
  /** Resolves at once unless too many are unanswered. */
  ready(): Promise<void>
  readonly unanswered: number
}

export function createPressure(): Pressure {
  let unanswered = 0
  let wake = (): void => {}
  return {
    sent: () => void unanswered++,
    answered() {
      if (--unanswered <= MOST_UNANSWERED / 2) wake()
    },
    async ready() {
      if (unanswered <= MOST_UNANSWERED) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    },
    get unanswered() {
      return unanswered
    },
  }
}
