/** Approvals as a guard and a proxy hold them: recorded before they are shown, sent to the client of the call. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '@sworn/recorder'
import { createAsk, createClientDesk, INPUT_KEY } from '../src/approvals/index.ts'
import { createHand, createRoom, requestOf } from './support/approvals.ts'

const request = { correlationId: 'c-1', ...requestOf() }

test('a question is on record before anybody sees it, and the verdict is what the person said', async () => {
  const hand = createHand()
  const ask = createAsk(createRoom([hand.channel]).approvals)
  const seen: unknown[] = []
  const asked = ask(request, async (event: AuditEvent) => {
    seen.push(event.event_type, hand.open.length)
    return true
  })
  while (hand.open.length === 0) await Promise.resolve()
  hand.answer()
  const { verdict, members } = await asked
  assert.deepEqual(seen, ['approval_requested', 0])
  assert.deepEqual([verdict.decision, verdict.reasonCode], ['allow', 'human_approved'])
  assert.partialDeepStrictEqual(members, { human_decision: { channel: 'hand', approved: true }, metadata: { approval: { scope: 'once' } } })
})

for (const [what, record] of [
  ['refused', async () => false],
  ['lost', () => Promise.reject(new Error('no space left'))],
] as const) {
  test(`a question whose record is ${what} is shown to nobody, and denied`, async () => {
    const hand = createHand()
    const { verdict } = await createAsk(createRoom([hand.channel]).approvals)(request, record)
    assert.deepEqual([verdict.decision, verdict.reasonCode, hand.open.length], ['deny', 'approval_unavailable', 0])
  })
}

test('where nobody can be asked nothing is recorded but the denial', async () => {
  const ask = createAsk(createRoom([]).approvals)
  const { verdict } = await ask(request, () => assert.fail('there is no question'))
  assert.equal(verdict.reasonCode, 'approval_unavailable')
})

test('each question goes to the client of its own call; without a seat the channel fails at once', async () => {
  const desk = createDesk()
  const [first, second] = [await desk.ask('s-1'), await desk.ask('s-2')]
  desk.seat(first.id, 'one')
  void first.begun.ask()
  const nowhere = await second.begun.ask()
  assert.deepEqual(desk.sent, ['one elicitation/create'])
  assert.equal(nowhere.answer, 'unavailable')
  const said = { action: 'accept', content: { decision: 'approve' } }
  assert.equal(desk.client.hearResponse({ jsonrpc: '2.0', id: 7, result: said }), false)
  assert.equal(desk.client.hearResponse({ jsonrpc: '2.0', id: `sworn-approval-${first.id}`, result: said }), true)
  const { answer, members } = await first.begun.ask()
  assert.deepEqual([answer, members.human_decision?.channel, members.human_decision?.approver], ['approved', 'elicitation', 'ada'])
})

test('a settled question is taken back from the client that has it, and a retry counts for its own call only', async () => {
  const desk = createDesk()
  const { id, begun } = await desk.ask('s-1')
  desk.client.seat(id, { answer: () => void desk.sent.push('answered') })
  const asked = begun.ask()
  const params = { requestState: id, inputResponses: { [INPUT_KEY]: { action: 'accept', content: { decision: 'approve' } } } }
  assert.equal(desk.client.hearRetry(params, 'of another call'), 'mismatch')
  assert.equal(desk.client.hearRetry({}, begun.question.callKey), undefined)
  assert.equal(desk.client.hearRetry(params, begun.question.callKey), 'accepted')
  assert.equal((await asked).answer, 'approved')
  const other = await desk.ask('s-1')
  desk.seat(other.id, 'one')
  void other.begun.ask()
  other.begun.cancel()
  assert.deepEqual(desk.sent, ['answered', 'one elicitation/create', 'one notifications/cancelled'])
})

/** A desk with its approvals, and what its clients were sent. */
function createDesk() {
  const client = createClientDesk({ approver: 'ada' })
  const { approvals } = createRoom(client.channels)
  const sent: string[] = []
  return {
    client,
    sent,
    seat: (id: string, name: string) => client.seat(id, { send: ({ method }) => void sent.push(`${name} ${method}`) }),
    async ask(session: string) {
      const begun = await approvals.begin(requestOf(undefined, { session }))
      assert.ok('ask' in begun)
      return { begun, id: begun.question.id }
    },
  }
}
