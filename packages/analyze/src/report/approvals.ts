/**
 * People who were asked: what they answered, how fast, by which channel, and what was never answered.
 * @module
 */
import { createDurations, type DurationSummary } from './durations.ts'
import { createOpenEnds } from './open-ends.ts'
import { amountOf, membersOf, type Part, textOf } from './part.ts'
import { createTally, type Tallied } from './tally.ts'

/** Reason codes of questions that nobody answered in time or at all; three different things. */
const UNANSWERED = ['approval_timeout', 'approval_unavailable', 'approval_cooldown'] as const

export interface Approvals {
  readonly requested: number
  readonly approved: number
  readonly denied: number
  /** By reason code. */
  readonly approval_timeout: number
  readonly approval_unavailable: number
  readonly approval_cooldown: number
  readonly late_answers: number
  /** Asked in the period and not settled in it. */
  readonly open: number
  /** From the question shown to the answer. */
  readonly response_time: DurationSummary
  readonly by_approver: Tallied
  readonly by_channel: Tallied
}

export function createApprovals(): Part<Approvals> {
  const counts = {
    requested: 0,
    approved: 0,
    denied: 0,
    approval_timeout: 0,
    approval_unavailable: 0,
    approval_cooldown: 0,
    late_answers: 0,
  }
  const open = createOpenEnds()
  const times = createDurations()
  const [approvers, channels] = [createTally(), createTally()]
  return {
    add({ event_type: type, human_decision: human, reason_code: code, metadata, correlation_id: correlation }) {
      const question = textOf(membersOf(membersOf(metadata).approval).id) ?? correlation
      if (type === 'approval_requested') {
        counts.requested++
        open.begin(question)
      }
      if (code === 'approval_late') counts.late_answers++
      if (type !== 'authorization_decision') return
      open.end(question)
      const unanswered = UNANSWERED.find((one) => one === code)
      if (unanswered) counts[unanswered]++
      const { approved, response_time_ms: ms, approver, channel } = membersOf(human)
      if (typeof approved !== 'boolean') return
      counts[approved ? 'approved' : 'denied']++
      times.add(amountOf(ms))
      approvers.add(textOf(approver))
      channels.add(textOf(channel))
    },
    done: () => ({
      ...counts,
      open: open.done().open,
      response_time: times.done(),
      by_approver: approvers.done(),
      by_channel: channels.done(),
    }),
  }
}
