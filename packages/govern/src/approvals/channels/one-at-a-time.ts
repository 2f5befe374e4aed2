/**
 * For channels with one place to show something: questions queue, and the next is shown when the last is gone.
 *
 * A question that is withdrawn while it queues was never shown. Bounded by whoever asks: each is withdrawn.
 * @module
 */
import type { Channel, Question, Tell, Withdraw } from '../types.ts'

interface Place {
  readonly question: Question
  readonly tell: Tell
  withdraw?: Withdraw
}

/** The `open` of a channel whose `present` is called for one question at a time. */
export function oneAtATime(present: Channel['open']): Channel['open'] {
  const queue: Place[] = []
  let current: Place | undefined

  function next(): void {
    if (current) return
    const place = queue.shift()
    if (!place) return
    current = place
    try {
      place.withdraw = present(place.question, (report) => {
        const reception = place.tell(report)
        if (report.kind === 'failed') queueMicrotask(() => leave(place))
        return reception
      })
    } catch {
      place.tell({ kind: 'failed', why: 'broken' })
      leave(place)
    }
  }

  function leave(place: Place): void {
    if (current !== place) return
    current = undefined
    next()
  }

  return (question, tell) => {
    const place: Place = { question, tell }
    queue.push(place)
    next()
    return async (settled) => {
      const at = queue.indexOf(place)
      if (at >= 0) queue.splice(at, 1)
      try {
        await place.withdraw?.(settled)
      } finally {
        leave(place)
      }
    }
  }
}
