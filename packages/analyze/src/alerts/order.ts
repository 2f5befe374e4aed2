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

export function unseenProof({ seq, finding }: { readonly seq: number; readonly finding: NonNullable<Rule['unseen']> }): Proof {
  const text = finding === 'no_outcome' ? 'a call that began has no outcome' : 'a call that a model asked for was never recorded'
  return { ...toProof([seq], text), value: 0, expected: 1 }
}

export function silenceProof({ seq }: Begun, window: string): Proof {
  return { ...toProof([seq], `nothing within ${window} after it`), value: 0, expected: 1 }
}
