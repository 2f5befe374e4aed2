/**
 * Marks: one-way facts that every process of a ledger agrees on, kept where the ledger is appended.
 *
 * A life (a nonce, a session) is begun, and ended once: two buckets of one token each that does not come back.
 * What is asked together is answered together, so a life is ended in one step that also tells whether it was ever
 * begun. A restart, a take-over or eviction of counters makes it unknown: the bucket of the beginning is always
 * used before that of the end, so it is forgotten first, and an ended life never looks live again.
 * Source: spec policy (head: `reserve`), AIP v1alpha2 §10.6.4.
 * @module
 */
import type { Reservation, Reserve, ReserveFn } from '@sworn/recorder'

/** Tokens come back in some hundred years: never, for anything that lives minutes. */
const BUCKET = { limit: 1, perMs: 2 ** 42 }

/** `unknown`: never begun here, or forgotten. */
export type Life = 'live' | 'ended' | 'unknown'

/** All reject with what `reserve` rejects with, and for an answer that is none. */
export interface Marks {
  /** false when the key was begun before. */
  begin(key: string): Promise<boolean>
  /** Begins `key` and tells of `parent` at that moment; `key` counts for nothing unless that is `live`. */
  beginUnder(parent: string, key: string): Promise<Life>
  /** Takes nothing. At most seven. */
  look(keys: readonly string[]): Promise<readonly Life[]>
  /** What it was before: `live` for exactly one of all callers. */
  end(key: string): Promise<Life>
  /** The same, and what `parent` was at that moment. */
  endUnder(parent: string, key: string): Promise<{ readonly life: Life; readonly parent: Life }>
}

type Step = Omit<Reserve, 'also'>

const beginning = (key: string, amount: 0 | 1): Step => ({ key: `${key}:begun`, amount, ...BUCKET })
const ending = (key: string, amount: 0 | 1): Step => ({ key: `${key}:ended`, amount, ...BUCKET })
const both = (key: string): readonly Step[] => [beginning(key, 0), ending(key, 0)]

export function createMarks(reserve: ReserveFn): Marks {
  async function ask(steps: readonly Step[]): Promise<Answer> {
    const [first, ...also] = steps
    if (!first) return { granted: true, taken: [] }
    return toAnswer(await reserve({ ...first, also }), steps.length)
  }

  async function end(key: string, parents: readonly string[]): Promise<readonly Life[]> {
    const { granted, taken } = await ask([beginning(key, 0), ending(key, 1), ...parents.flatMap(both)])
    const [life = 'unknown', ...others] = livesOf(taken)
    return [life === 'live' && !granted ? 'unknown' : life, ...others]
  }

  return {
    async begin(key) {
      return (await ask([beginning(key, 1)])).granted
    },
    async beginUnder(parent, key) {
      const { granted, taken } = await ask([...both(parent), beginning(key, 1)])
      return granted ? livesOf(taken.slice(0, 2))[0]! : 'unknown' // two buckets are one life
    },
    async look(keys) {
      return livesOf((await ask(keys.flatMap(both))).taken)
    },
    end: async (key) => (await end(key, []))[0]!, // a life for each key
    async endUnder(parent, key) {
      const [life, over] = await end(key, [parent])
      return { life: life!, parent: over! }
    },
  }
}

/** Which buckets had been used before. */
interface Answer {
  readonly granted: boolean
  readonly taken: readonly boolean[]
}

function toAnswer({ granted, used = [] }: Reservation, steps: number): Answer {
  if (used.length !== steps || !used.every(Number.isFinite)) throw new TypeError('a counter that tells what was used was expected')
  return { granted, taken: used.map((amount) => amount > 0.5) } // of one token; a trace of it may have come back
}

function livesOf(taken: readonly boolean[]): readonly Life[] {
  return Array.from({ length: taken.length / 2 }, (_, n) => (!taken[2 * n] ? 'unknown' : taken[2 * n + 1] ? 'ended' : 'live'))
}
