/**
 * A stream of a model's answer, watched while the application reads it: one outcome, when it ends, breaks or is left.
 *
 * Nothing is read ahead and nothing is kept but what the record will show, within bounds.
 * @module
 */
import type { Outcome } from '@sworn/recorder'
import { memberOf } from '../members.ts'

/** How one vendor says what a model said. */
export interface Dialect {
  readonly provider: string
  /** Of a whole answer. Never throws. */
  describe(data: unknown): Partial<Outcome>
  /** Of a streamed one. */
  assemble(): Assembly
}

export interface Assembly {
  /** Never throws. */
  add(event: unknown): void
  /** `isComplete`: the stream said that it was over; absent where its end says so. */
  done(): { readonly outcome: Partial<Outcome>; readonly isComplete?: boolean }
}

interface Stream {
  iterator: () => AsyncIterator<unknown>
}

/** Both SDKs make a stream's iterator in a member of that name; everything else they offer goes through it. */
export function isStream(value: unknown): value is Stream {
  return typeof memberOf(value, 'iterator') === 'function' && typeof memberOf(value, Symbol.asyncIterator as never) === 'function'
}

export function watchStream(stream: Stream, assembly: Assembly, end: (outcome: Outcome) => void): void {
  const original = stream.iterator.bind(stream)
  stream.iterator = () => watch(original(), assembly, end)
}

/** What `inner` gives, and its outcome when it is over. */
export async function* watch(inner: AsyncIterator<unknown>, assembly: Assembly, end: (outcome: Outcome) => void): AsyncGenerator<unknown> {
  let failure: Partial<Outcome> = {}
  let isOver = false
  try {
    for await (const event of { [Symbol.asyncIterator]: () => inner }) {
      assembly.add(event)
      yield event
    }
    isOver = true
  } catch (error) {
    failure = describeError(error)
    throw error
  } finally {
    const { outcome, isComplete = isOver } = assembly.done()
    end({ status: 'ok', ...outcome, ...failure, ...(!isComplete && { complete: false }) })
  }
}

/** By the name of its class: that is what tells a rate limit from a lost connection. */
export function describeError(error: unknown): Pick<Outcome, 'status' | 'error' | 'errorType'> {
  return { status: 'error', error, errorType: error instanceof Error ? error.constructor.name : typeof error }
}
