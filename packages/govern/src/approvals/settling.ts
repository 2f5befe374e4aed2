/**
 * How a question is settled: a state and what happens to it. Pure.
 *
 * Promise: whatever the order of answers, failures, cancellation and time, a question is settled exactly
 * once; only an answer with its own id and shown_hash, offered scope and in time approves; nothing after the
 * deadline does, even when the timer is late. Source: issue "Approvals", spec events §2 rule 5.
 * @module
 */

import type { ApprovalAnswer } from '../approval.ts'
import { parseAnswer } from './answer.ts'
import type { Answer, ChannelFailure, Question, Reception, Report } from './types.ts'

/** Something that happened, `elapsedMs` after the question was made. */
export type Happening =
  | { readonly kind: 'told'; readonly channel: string; readonly report: Report; readonly elapsedMs: number }
  | { readonly kind: 'cancelled'; readonly elapsedMs: number }
  | { readonly kind: 'time'; readonly elapsedMs: number }

export interface Settled {
  readonly answer: ApprovalAnswer
  readonly elapsedMs: number
  /** The channel and the words that settled it, when a person did. */
  readonly by?: { readonly channel: string; readonly said: Answer }
  readonly cancelled?: boolean
}

export interface State {
  readonly question: Pick<Question, 'id' | 'shownHash' | 'timeoutMs' | 'scopes'>
  /** Channels that may still answer. */
  readonly open: readonly string[]
  /** channel -> when it showed the question. */
  readonly shownMs: ReadonlyMap<string, number>
  readonly failures: readonly { readonly channel: string; readonly why: ChannelFailure }[]
  readonly settled?: Settled
}

export interface Step {
  readonly state: State
  readonly reception: Reception
  /** The answer that was understood, whatever became of it. */
  readonly said?: Answer
}

/** @param channels names, each once; without any the question is settled as unavailable by the first happening */
export function openQuestion(question: State['question'], channels: readonly string[]): State {
  return { question, open: channels, shownMs: new Map(), failures: [] }
}

export function step(before: State, happening: Happening): Step {
  const state = expire(before, happening.elapsedMs)
  if (happening.kind === 'told') return hear(state, happening.channel, happening.report, happening.elapsedMs)
  if (happening.kind === 'cancelled')
    return noted(settle(state, { answer: 'unavailable', elapsedMs: happening.elapsedMs, cancelled: true }))
  return noted(failWhenAlone(state, happening.elapsedMs))
}

const noted = (state: State): Step => ({ state, reception: 'noted' })

/** The first settlement stands. */
function settle(state: State, settled: Settled): State {
  return state.settled ? state : { ...state, open: [], settled }
}

/** Time decides before whatever happened at that time. */
function expire(state: State, elapsedMs: number): State {
  const { timeoutMs } = state.question
  return elapsedMs >= timeoutMs ? settle(state, { answer: 'timeout', elapsedMs: timeoutMs }) : state
}

function hear(state: State, channel: string, report: Report, elapsedMs: number): Step {
  switch (report.kind) {
    case 'shown':
      return noted(state.shownMs.has(channel) ? state : { ...state, shownMs: new Map(state.shownMs).set(channel, elapsedMs) })
    case 'failed':
      return noted(fail(state, channel, report.why, elapsedMs))
    case 'answer':
      return judge(state, channel, report.answer, elapsedMs)
  }
}

function fail(state: State, channel: string, why: ChannelFailure, elapsedMs: number): State {
  if (!state.open.includes(channel)) return state
  const open = state.open.filter((name) => name !== channel)
  return failWhenAlone({ ...state, open, failures: [...state.failures, { channel, why }] }, elapsedMs)
}

function failWhenAlone(state: State, elapsedMs: number): State {
  return state.open.length === 0 ? settle(state, { answer: 'unavailable', elapsedMs }) : state
}

function judge(state: State, channel: string, given: unknown, elapsedMs: number): Step {
  const said = parseAnswer(given)
  const { id, shownHash, scopes } = state.question
  if (!said || !scopes.includes(said.scope)) return { state, reception: 'malformed' }
  if (said.id !== id || said.shownHash !== shownHash) return { state, reception: 'mismatch', said }
  if (state.settled || !state.open.includes(channel)) return { state, reception: 'late', said }
  const answer = said.approved ? 'approved' : 'denied'
  return { state: settle(state, { answer, elapsedMs, by: { channel, said } }), reception: 'accepted', said }
}
