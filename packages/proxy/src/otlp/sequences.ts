/**
 * Numbers that a sender counts its records of a session with: what is missing between two of them was lost on the way.
 *
 * Where a session's counting is first met it begins. Numbers that come again or late are no gap; a gap that is filled
 * later was one when it was recorded. Each token has its own: nobody hides another's gaps, or makes some. Source: Claude Code monitoring reference, `event.sequence`.
 * @module
 */
import type { Told } from './told.ts'
import { numberOf, textOf } from './values.ts'

const MAX_SESSIONS = 10_000

/** Numbers after `from` and before `to` did not come. */
export interface SequenceGap {
  readonly session: string
  readonly from: number
  readonly to: number
  /** The record that ends it. */
  readonly near: Told
}

export interface Sequences {
  /** What misses before the records of one request; it is looked for again until `keep` is called. @param producer who the token names */
  look(records: readonly Told[], producer: string): { readonly gaps: readonly SequenceGap[]; keep(): void }
}

export function createSequences(): Sequences {
  const newest = new Map<string, number>()
  return {
    look(records, producer) {
      const seen = new Map<string, number>()
      const gaps: SequenceGap[] = []
      for (const { session, number, near } of numbersOf(records)) {
        const key = JSON.stringify([producer, session])
        const last = seen.get(key) ?? newest.get(key)
        if (last !== undefined && number > last + 1) gaps.push({ session, from: last, to: number, near })
        seen.set(key, Math.max(number, last ?? number))
      }
      return {
        gaps,
        keep() {
          for (const [key, number] of seen) keepNewest(newest, key, number)
        },
      }
    },
  }
}

/** In the order of counting. */
function numbersOf(records: readonly Told[]): readonly { readonly session: string; readonly number: number; readonly near: Told }[] {
  return records
    .flatMap((near) => {
      const session = textOf(near.attributes.get('session.id'))
      const number = numberOf(near.attributes.get('event.sequence'))
      return session === undefined || number === undefined || !Number.isSafeInteger(number) ? [] : [{ session, number, near }]
    })
    .sort((a, b) => a.number - b.number)
}

function keepNewest(newest: Map<string, number>, key: string, number: number): void {
  const kept = Math.max(number, newest.get(key) ?? number)
  newest.delete(key)
  newest.set(key, kept) // the session that was met longest ago goes first
  if (newest.size > MAX_SESSIONS) newest.delete(newest.keys().next().value!)
}
