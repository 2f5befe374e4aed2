/** Answers through the ledger: only a seal under the token that governs counts, and only for the question that it names. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createSealedChannel, type Question, type RecordedEvent, sealedEvent, settledBy, toAskedQuestion } from '../src/approvals/index.ts'
import { ask, createRoom, requestOf } from './support/approvals.ts'
import { channelContract } from './support/channel-contract.ts'

const SECRET = 'the-token-that-governs-0123456789'

function openChannel(isShown = true) {
  const open = new Set<() => void>()
  const follow = (lost: () => void) => {
    open.add(lost)
    return () => void open.delete(lost)
  }
  return { ...createSealedChannel({ secret: () => SECRET, isShown: () => isShown, follow }), open }
}

const answerTo = ({ id, shownHash }: Question, rest: object = {}) =>
  ({ id, shownHash, approved: true, scope: 'once', approver: 'govern.token', ...rest }) as const
const sealed = (question: Question, rest: object = {}, secret = SECRET) =>
  sealedEvent(secret, question, answerTo(question, rest)) as RecordedEvent // an event is one

channelContract('sealed', async () => {
  const { channel, hear, open } = openChannel()
  return {
    channel,
    answer: async (question, approved) => hear(sealed(question, { approved })),
    answerForAnother: async (question) => hear(sealed(question, { shownHash: `sha256:${'0'.repeat(64)}` })),
    async break() {
      for (const lost of open) lost()
    },
    shown: async () => {},
    leftovers: () => open.size,
    close: async () => {},
  }
})

describe('an answer in the ledger', () => {
  const forged: [string, (question: Question) => RecordedEvent][] = [
    ['without a seal', (question) => withAnswer(sealed(question), { seal: undefined })],
    ['sealed with another token', (question) => sealed(question, {}, 'another-token-0123456789')],
    ['that was a refusal when it was sealed', (question) => withAnswer(sealed(question, { approved: false }), { approved: true })],
    ['for a longer time than was sealed', (question) => withAnswer(sealed(question), { scope: 'session' })],
    ['by somebody else than was sealed', (question) => withAnswer(sealed(question), { approver: 'ada' })],
    ['with a seal that is no text', (question) => withAnswer(sealed(question), { seal: {} })],
  ]
  for (const [what, forge] of forged)
    test(`${what} is noted and decides nothing; the sealed one behind it does`, async () => {
      const { channel, hear } = openChannel()
      const { approvals, notes } = createRoom([channel])
      const { question, settlement } = await ask(approvals)
      hear(forge(question))
      assert.deepEqual(
        notes.map(({ event_type }) => event_type),
        ['auth_failure'],
      )
      hear(sealed(question, { approved: false }))
      assert.equal((await settlement).answer, 'denied')
      await approvals.close()
    })

  test('counts for nobody while the token cannot be read', async () => {
    const secret = () => {
      throw new Error('a file that others can read')
    }
    const { channel, hear } = createSealedChannel({ secret, isShown: () => true, follow: () => () => {} })
    const { approvals, notes } = createRoom([channel])
    const { question, settlement } = await ask(approvals)
    for (const key of [SECRET, '', 'undefined']) hear(sealed(question, {}, key))
    assert.equal(notes.length, 3)
    await approvals.close()
    assert.equal((await settlement).answer, 'unavailable')
  })

  test('of any other form is nothing to anybody', () => {
    const { hear } = openChannel()
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('event_type', 'metadata', 'human_decision', 'source', 'tool'), fc.jsonValue()), (entry) => {
        for (const event of [entry, { ...entry, event_type: 'approval_answered' }, { ...entry, event_type: 'approval_requested' }]) {
          hear(event as RecordedEvent)
          assert.equal(toAskedQuestion(event as RecordedEvent, 0), undefined)
          settledBy(event as RecordedEvent)
        }
      }),
    )
  })
})

test('nobody is waited for who is not there: without a server there is no way, nothing is recorded and no question is counted', async () => {
  const { channel } = openChannel(false)
  const { approvals } = createRoom([channel])
  const begun = await approvals.begin(requestOf({}))
  assert.deepEqual(begun, { answer: 'unavailable', reason: 'There is no way to ask a person', members: {} })
})

test('a question is read back from its record as it was asked, while it can be answered', async () => {
  const { channel } = openChannel()
  const { approvals } = createRoom([channel])
  const { question, requested } = await ask(approvals)
  const entry = requested as RecordedEvent & { human_decision: object; metadata: object }
  const now = Date.parse(question.askedAt)
  const { callKey: _callKey, timeoutMs: _timeoutMs, ...same } = question
  assert.partialDeepStrictEqual(toAskedQuestion(entry, now), same)
  const others: [string, RecordedEvent][] = [
    ['reported from outside', { ...entry, source: { vantage: 'reported' } } as RecordedEvent],
    ['with another text', { ...entry, metadata: { ...entry.metadata, shown: 'Allow it.' } }],
    ['with another hash', { ...entry, human_decision: { shown_hash: `sha256:${'0'.repeat(64)}` } } as RecordedEvent],
    ['of another type', { ...entry, event_type: 'data_access' }],
    ['that waits for ever', { ...entry, expires_at: '2999-01-01T00:00:00.000Z' }],
  ]
  for (const [what, other] of others) assert.equal(toAskedQuestion(other, now), undefined, what)
  assert.equal(toAskedQuestion(entry, Date.parse(question.expiresAt)), undefined)
  await approvals.close()
})

test('a decision settles its question, one that was reported from outside does not', () => {
  const decision = { event_type: 'authorization_decision', decision: 'allow', metadata: { approval: { id: '0'.repeat(32) } } }
  assert.deepEqual(settledBy({ ...decision, human_decision: { channel: 'serve', approved: true } }), { id: '0'.repeat(32), isOurs: true })
  const told = { ...decision, human_decision: { channel: 'serve', approved: true }, source: { kind: 'sdk', vantage: 'reported' } }
  assert.equal(settledBy(told), undefined)
})

function withAnswer(event: RecordedEvent, rest: object): RecordedEvent {
  const metadata = event.metadata as { readonly answer: object } // sealedEvent made it
  return { ...event, metadata: { ...metadata, answer: { ...metadata.answer, ...rest } } }
}
