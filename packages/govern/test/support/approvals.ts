/** What the tests of approvals share: a clock that stands still, redaction as the recorder does it, a channel by hand. */
import { type AuditEvent, createRedactor, shapeEvent } from '@sworn/recorder'
import { settleApproval } from '../../src/approval.ts'
import { createApprovals } from '../../src/approvals/approvals.ts'
import type { ApprovalsOptions } from '../../src/approvals/index.ts'
import type { ApprovalRequest, Asking, Channel, Question, Reception, Settlement, Tell } from '../../src/approvals/types.ts'
import { createTokenBuckets } from '../../src/rate.ts'

export const START_MS = Date.parse('2026-07-28T09:00:00.000Z')
const EVENT_ID = '01990000-0000-7000-8000-000000000000'

const redactor = createRedactor()
export const redact = (event: AuditEvent) =>
  JSON.parse(redactor.redact(shapeEvent(event, [], { timestamp: new Date(START_MS).toISOString(), eventId: EVENT_ID })))

/** Time that passes when it is told to; timers fire in their order. */
export function createTime() {
  const timers = new Set<{ at: number; fire: () => void }>()
  let ms = 0
  return {
    now: () => START_MS + ms,
    clock: () => ms,
    schedule(delay: number, fire: () => void) {
      const timer = { at: ms + delay, fire }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    /** @param late timers do not fire: the event loop is behind */
    pass(delay: number, { late = false } = {}) {
      ms += delay
      if (late) return
      for (const timer of [...timers].filter(({ at }) => at <= ms).toSorted((a, b) => a.at - b.at)) {
        if (timers.delete(timer)) timer.fire()
      }
    },
    timers: () => timers.size,
  }
}

export const CALL = { path: '/srv/place/notes.txt', content: 'hello', token: 'sk-live-4eC39HqLyjWDarjtT1zdp7dc' }

export function requestOf(input: unknown = CALL, ids: Partial<ApprovalRequest['action']['ids']> = {}): ApprovalRequest {
  return {
    action: {
      kind: 'tool',
      name: 'write_file',
      input,
      ids: { session: 's-1', user: 'ada', agent: 'builder', ...ids },
      server: { name: 'files' },
    },
    verdict: {
      decision: 'ask',
      reason: 'write_file asks a person',
      reasonCode: 'matched_rule',
      matchedRule: 'tool_rules/0',
      policyHash: 'sha256:1',
    },
    correlationId: `c-${JSON.stringify(ids.call ?? 1)}`,
  }
}

/** A channel that a test speaks through. */
export function createHand(name = 'hand', maxChars = 65_536) {
  const open: { question: Question; tell: Tell; withdrawn?: string }[] = []
  const channel: Channel = {
    name,
    maxChars,
    open(question, tell) {
      const place: (typeof open)[number] = { question, tell }
      open.push(place)
      tell({ kind: 'shown' })
      return (settled) => {
        place.withdrawn = settled
      }
    },
  }
  const answer = (over: Record<string, unknown> = {}, n = open.length - 1): Reception => {
    const { question, tell } = open[n]!
    const { id, shownHash } = question
    return tell({ kind: 'answer', answer: { id, shownHash, approved: true, scope: 'once', approver: 'ada', ...over } })
  }
  return { channel, open, answer }
}

export function createRoom(channels: readonly Channel[], over: Partial<ApprovalsOptions> = {}) {
  const time = createTime()
  const notes: AuditEvent[] = []
  const reserve = createTokenBuckets(time.clock)
  const base = { channels, redact, reserve, note: (event: AuditEvent) => void notes.push(event) }
  const approvals = createApprovals({ ...base, now: time.now, clock: time.clock, schedule: time.schedule, ...over })
  return { approvals, time, notes }
}

export function isAsking(begun: Asking | Settlement): begun is Asking {
  return 'ask' in begun
}

/** Begins and asks; `settlement` is awaited by the test. */
export async function ask(approvals: ReturnType<typeof createApprovals>, request = requestOf()) {
  const begun = await approvals.begin(request)
  if (!isAsking(begun)) throw new Error(`not asked: ${begun.reason}`)
  return { ...begun, settlement: begun.ask() }
}

/** The reason code that a request comes to, with nobody answering. */
export async function codeOf(approvals: ReturnType<typeof createApprovals>, request = requestOf()): Promise<string> {
  const begun = await approvals.begin(request)
  return isAsking(begun) ? 'asked' : settleApproval(request.verdict, begun.answer, begun.reason).reasonCode
}
