/** People for tests of the proxy: the real approvals with a channel that a test speaks through. @module */
import { type Channel, createApprovals, createClientDesk, type Question, type Tell } from '@sworn/govern/approvals'
import { type AuditEvent, createRedactor, type Gate, type ReserveFn, shapeEvent, type Verdict } from '@sworn/recorder'
import type { ProxyApprovals } from '../../src/index.ts'
import { denyingGate } from './gates.ts'

const redactor = createRedactor()
const stamp = { timestamp: '2026-07-28T09:00:00.000Z', eventId: '01990000-0000-7000-8000-000000000000' }
const redact = (event: AuditEvent) => JSON.parse(redactor.redact(shapeEvent(event, [], stamp)))
const reserve: ReserveFn = async ({ amount, limit, perMs }) => ({
  granted: amount <= (limit ?? 0),
  retryAfterMs: amount <= (limit ?? 0) ? 0 : (perMs ?? 0),
})

/** What a test hears of one question, and how it answers. */
export interface Heard {
  readonly question: Question
  answer(approved: boolean): void
}

export interface People {
  readonly approvals: () => Promise<ProxyApprovals>
  /** The next question, in the order of asking. */
  next(): Promise<Heard>
  readonly notes: AuditEvent[]
}

/** @param withHand a person at a channel `hand`, besides the client of the call */
export function createPeople({ withHand = true, timeoutMs = 60_000 } = {}): People {
  const heard: Heard[] = []
  let wake = Promise.withResolvers<void>()
  const hand: Channel = {
    name: 'hand',
    maxChars: 65_536,
    open(question, tell: Tell) {
      tell({ kind: 'shown' })
      const { id, shownHash } = question
      const answer = (approved: boolean) =>
        void tell({ kind: 'answer', answer: { id, shownHash, approved, scope: 'once', approver: 'ada' } })
      heard.push({ question, answer })
      wake.resolve()
      return () => {}
    },
  }
  const client = createClientDesk()
  const notes: AuditEvent[] = []
  const channels = [...(withHand ? [hand] : []), ...client.channels]
  const note = (event: AuditEvent) => void notes.push(event)
  const open = { approvals: createApprovals({ channels, redact, reserve, note, timeoutMs }), client }
  return {
    approvals: async () => open,
    notes,
    async next() {
      while (heard.length === 0) await wake.promise
      wake = Promise.withResolvers()
      return heard.shift()! // one is there: the loop ended
    },
  }
}

/** Asks about the named tools, allows the others. */
export function askingGate(tools: readonly string[], rest: Partial<Gate> = {}): Gate {
  const data = { reason: 'Approval is required and was not given' }
  const rpcError = { code: -32004, message: 'User denied', data, profile: 'aip-v1alpha' }
  const ask: Verdict = { decision: 'ask', reason: 'A rule asks', reasonCode: 'matched_rule', policyName: 'test', rpcError }
  const gate = denyingGate([], [], rest)
  return { ...gate, judge: async (action) => (tools.includes(action.name) ? ask : gate.judge(action)) }
}
