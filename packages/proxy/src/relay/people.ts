/**
 * The people who can be asked, and the questions that stand in place of an answer, as one session knows them.
 * @module
 */
import type { Settlement } from '@sworn/govern/approvals'
import type { Members } from '../frames/read.ts'
import type { ProxyApprovals } from './options.ts'

export interface People {
  /** Rejects where asking cannot be opened. */
  open(): Promise<ProxyApprovals>
  /** Set once somebody was asked. */
  ready: ProxyApprovals | undefined
  /** The client of the 2025 era shows forms. */
  elicits: boolean
  /** The session ends: nobody waits for an answer. */
  over: boolean
}

/** A question that is the answer to its call. */
export interface Parked {
  readonly callKey: string
  readonly settlement: Promise<Settlement>
  readonly cancel: () => void
  /** What the call carried for the server in the members that the question takes. */
  readonly params: Members
  taken: boolean
}

export function createPeople(load: () => Promise<ProxyApprovals>): People {
  const people: People = {
    open: async () => (people.ready ??= await load()),
    ready: undefined,
    elicits: false,
    over: false,
  }
  return people
}
