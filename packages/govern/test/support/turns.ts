/**
 * Runs operations beside each other and answers their questions in a drawn order: the next question is only
 * answered when every operation has ended or asks. What takes real time in between cannot narrow the orders.
 * @module
 */
import type { ReserveFn } from '@sworn/recorder'
import fc from 'fast-check'

export interface Turns {
  readonly reserve: ReserveFn
  /** Questions answered so far: a clock for all operations. */
  now(): number
  /** Each operation has at most one open question at a time. Rejects with the first failure. */
  run(operations: readonly (() => Promise<unknown>)[]): Promise<void>
}

/** The drawn order: which of the waiting questions is answered next. */
export const order = fc.array(fc.nat(1000), { minLength: 1, maxLength: 100 })

export function createTurns(reserve: ReserveFn, drawn: readonly number[]): Turns {
  const waiting: (() => void)[] = []
  let running = 0
  let answers = 0

  function next(): void {
    if (running === 0 || waiting.length < running) return
    waiting.splice(drawn[answers % drawn.length]! % waiting.length, 1)[0]!()
  }

  return {
    now: () => answers,
    async reserve(step) {
      if (running > 0)
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          next()
        })
      answers++
      return reserve(step)
    },
    async run(operations) {
      running = operations.length
      await Promise.all(
        operations.map(async (operation) => {
          try {
            await operation()
          } finally {
            running--
            next()
          }
        }),
      )
    },
  }
}
