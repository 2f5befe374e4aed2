/**
 * Rounds of the burst bench: the candidates in turns, each in a new process and a new folder.
 * @module
 */
import type { CandidateName } from '../candidates/index.ts'
import { type BurstAnswer, type BurstTask, runBurst } from './burst-loop.ts'
import { runChild } from './child.ts'
import { withWorkdir } from './workdir.ts'

export interface BurstPlan<Name extends CandidateName> {
  readonly candidates: readonly Name[]
  readonly rounds: number
  readonly events: number
  /** For quick runs: in this process, one heap for all; memory and CPU then mean nothing. */
  readonly inProcess?: boolean
  /** Fewer events for candidates that take minutes; rates and costs are per event. */
  readonly fewer?: Partial<Record<Name, number>>
}

/** Each candidate's answers, one a round. The order turns by one place every round. */
export async function burstRounds<Name extends CandidateName>(plan: BurstPlan<Name>): Promise<Record<Name, readonly BurstAnswer[]>> {
  const answers = Object.fromEntries(plan.candidates.map((name) => [name, []])) as unknown as Record<Name, BurstAnswer[]> // one list a name
  for (let round = 0; round < plan.rounds; round++) {
    for (let n = 0; n < plan.candidates.length; n++) {
      const name = plan.candidates[(n + round) % plan.candidates.length]!
      const events = plan.fewer?.[name] ?? plan.events
      answers[name].push(
        await oneBurst(plan.inProcess === true, { candidate: name, events, seed: round + 1, pool: Math.min(4096, plan.events) }),
      )
    }
  }
  return answers
}

function oneBurst(inProcess: boolean, task: Omit<BurstTask, 'dir'>): Promise<BurstAnswer> {
  return withWorkdir((dir) => (inProcess ? runBurst({ ...task, dir }) : runChild<BurstAnswer>('burst', { ...task, dir })))
}
