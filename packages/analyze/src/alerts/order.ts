/**
 * Judges that look at what came when: a sequence of steps, and a silence. The order is that of the ledger.
 * @module
 */
import type { Hit, Judge, Proof } from './judge.ts'
import type { Rule } from './rule.ts'

/** How far a sequence came: when it began and its seqs; null: not there. */
interface Progress {
  readonly chains: ({ readonly began: number; readonly seqs: readonly number[] } | null)[]
}

/** All steps in order, from the first to the last within the window. */
export function createSequence(windowMs: number, window: string, steps: readonly ((hit: Hit) => boolean)[]): Judge<Progress> {
  const last = steps.length - 1
  return {
    begin: () => ({ chains: steps.slice(1).map(() => null) }),
    take({ chains }, hit) {
      const { seq, time } = hit
      for (let i = last; i >= 0; i--) {
        const before = i === 0 ? { began: time, seqs: [] } : chains[i - 1]
        if (!before || Math.abs(time - before.began) > windowMs || !steps[i]!(hit)) continue // one event is one step: the later ones first
        const chain = { began: before.began, seqs: [...before.seqs, seq] }
        if (i < last) chains[i] = chain
        else {
          chains.fill(null)
          return toProof(chain.seqs, `${steps.length} steps within ${window}`)
        }
      }
      return undefined
    },
    cells: ({ chains }) => chains.length + 1,
  }
}

function toProof(seqs: readonly number[], text: string): Proof {
  return { text, value: seqs.length, expected: 0, evidence: seqs, first: seqs[0]!, last: seqs.at(-1)!, count: seqs.length }
}

/** What was begun and not followed by anything. */
export interface Begun {
  seq: number
  time: number
  hash: string
}

/** What the ledger does not have, by what a rule looks for. */
const UNSEEN: Readonly<Record<NonNullable<Rule['unseen']>, string>> = {
  no_outcome: 'a call that began has no outcome',
  announced_not_recorded: 'a call that a model asked for was never recorded',
  no_hook: 'telemetry tells of a call in a session of which no hook is on record: nobody could stop it',
}

/** A call or a session that was found, and when: the time of what ended its wait. */
export interface FoundUnseen {
  readonly what: {
    readonly finding: NonNullable<Rule['unseen']>
    /** Of the entry that began it. */
    readonly seq: number
    readonly entry_hash: string
  }
  readonly windowMs: number
  readonly time: number
}

export function unseenProof({ seq, finding }: FoundUnseen['what']): Proof {
  return { ...toProof([seq], UNSEEN[finding]), value: 0, expected: 1 }
}

export function silenceProof({ seq }: Begun, window: string): Proof {
  return { ...toProof([seq], `nothing within ${window} after it`), value: 0, expected: 1 }
}
