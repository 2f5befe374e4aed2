/**
 * Marks: one-way facts that every process of a ledger agrees on, kept where the ledger is appended.
 *
 * A life (a nonce, a session) is begun, and ended once: `begun → ended`. It is a bucket of two tokens that do not
 * come back: beginning takes one, ending takes the other. Asking for both at once is only granted to a bucket that
 * the appender does not know: it was never begun, or forgotten by a restart, a take-over or eviction. The asking
 * takes both, so a forgotten life is ended for good. What the appender forgets is thus refused, never accepted a
 * second time. Source: spec policy (head: `reserve`), AIP v1alpha2 §10.6.4.
 * @module
 */
import type { Reservation, ReserveFn } from '@sworn/recorder'

/** Tokens come back in some hundred years: never, for anything that lives minutes. */
const PER_MS = 2 ** 42
const LIFE = { limit: 2, perMs: PER_MS }
const FLAG = { limit: 1, perMs: PER_MS }

/** `unknown`: never begun here, or forgotten. */
export type Life = 'live' | 'ended' | 'unknown'

export interface Marks {
  /** false when the key was begun before. @throws what `reserve` rejects with, or for an answer that is none */
  begin(key: string): Promise<boolean>
  /** Looking at an unknown life ends it. */
  look(key: string): Promise<Life>
  /** What it was before: `live` for exactly one of all callers. It is ended afterwards. */
  end(key: string): Promise<Life>
  /** A flag only gives a reason: what the appender forgets is not flagged any more. */
  flag(key: string): Promise<void>
  isFlagged(key: string): Promise<boolean>
}

export function createMarks(reserve: ReserveFn): Marks {
  const take = async (key: string, amount: number, bucket = LIFE): Promise<Reservation> =>
    checked(await reserve({ key, amount, ...bucket }))

  async function look(key: string): Promise<Life> {
    const both = await take(key, 2)
    if (both.granted) return 'unknown'
    return both.retryAfterMs > PER_MS / 2 ? 'ended' : 'live' // two tokens missing, or one
  }

  async function end(key: string): Promise<Life> {
    const before = await look(key)
    if (before !== 'live') return before
    return (await take(key, 1)).granted ? 'live' : 'ended' // another caller came between
  }

  async function begin(key: string): Promise<boolean> {
    const { granted } = await take(key, 1)
    return granted && (await look(key)) === 'live'
  }

  return {
    begin,
    look,
    end,
    flag: async (key) => void (await take(key, 1, FLAG)),
    isFlagged: async (key) => (await take(key, 2, FLAG)).retryAfterMs > PER_MS, // two are never there: nothing is taken
  }
}

function checked(answer: Reservation): Reservation {
  if (answer.granted || Number.isFinite(answer.retryAfterMs)) return answer
  throw new TypeError('a counter that tells when a token is back was expected')
}
