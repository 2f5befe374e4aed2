/** Asking people: settled once, recorded, and denied when anything goes wrong. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AuditEvent, shapeEvent } from '@sworn/recorder'
import { findUnsettled, hashShown, settleApproval } from '../src/approvals/index.ts'
import { ask, CALL, codeOf, createHand, createRoom, isAsking, redact, requestOf, START_MS } from './support/approvals.ts'

const MINUTE = 60_000

describe('how a question ends', () => {
  test('refused, timed out, unavailable and cooling down are four reason codes, with the client told -32004 or -32005', () => {
    const { verdict } = requestOf()
    const told = (['denied', 'timeout', 'unavailable', 'cooldown'] as const).map((answer) => {
      const { decision, reasonCode, rpcError } = settleApproval(verdict, answer)
      return `${decision} ${reasonCode} ${rpcError?.code}`
    })
    assert.deepEqual(told, [
      'deny human_denied -32004',
      'deny approval_timeout -32005',
      'deny approval_unavailable -32004',
      'deny approval_cooldown -32004',
    ])
    assert.equal(settleApproval(verdict, 'approved').rpcError, undefined)
  })

  test('the first answer wins, the others are withdrawn, and a later one is recorded as late with who said what', async () => {
    const [first, second] = [createHand('first'), createHand('second')]
    const { approvals, time, notes } = createRoom([first.channel, second.channel])
    const { question, settlement } = await ask(approvals)
    time.pass(1500)
    assert.equal(first.answer({ approved: false, reason: 'not today' }), 'accepted')
    assert.equal(second.answer({ approver: 'grace' }), 'late')
    const { answer, members } = await settlement
    assert.equal(answer, 'denied')
    assert.deepEqual(members.human_decision, {
      approved: false,
      response_time_ms: 1500,
      dialog_shown_at: new Date(START_MS).toISOString(),
      approver: 'ada',
      channel: 'first',
      shown_hash: question.shownHash,
      reason: 'not today',
    })
    assert.deepEqual([first.open[0]!.withdrawn, second.open[0]!.withdrawn], ['denied', 'denied'])
    const [late] = notes
    assert.equal(late?.reason_code, 'approval_late')
    assert.equal(late?.human_decision, undefined)
    assert.partialDeepStrictEqual(late?.metadata, { answer: { channel: 'second', approved: true, approver: 'grace' } })
  })

  test('an answer after the time limit is late even when the timer has not fired', async () => {
    const hand = createHand()
    const { approvals, time } = createRoom([hand.channel])
    const { settlement } = await ask(approvals)
    time.pass(MINUTE, { late: true })
    assert.equal(hand.answer(), 'late')
    const { answer, members } = await settlement
    assert.equal(answer, 'timeout')
    assert.equal(members.human_decision?.approved, undefined)
    assert.equal(time.timers(), 0)
  })

  test('a machine that slept beyond the limit finds the question timed out', async () => {
    const hand = createHand()
    let wall = START_MS
    const { approvals } = createRoom([hand.channel], { now: () => wall, clock: () => 0 })
    const { settlement } = await ask(approvals)
    wall += MINUTE
    assert.equal(hand.answer(), 'late')
    assert.equal((await settlement).answer, 'timeout')
  })

  test('wrong answers are recorded, at most ten for one question, and the question waits on', async () => {
    const hand = createHand()
    const { approvals, notes } = createRoom([hand.channel])
    const { settlement } = await ask(approvals)
    for (let n = 0; n < 50; n++) assert.equal(hand.answer({ shownHash: hashShown(String(n)) }), 'mismatch')
    assert.equal(hand.answer({ scope: 'forever' }), 'malformed')
    assert.equal(notes.length, 10)
    assert.ok(notes.every(({ event_type }) => event_type === 'auth_failure'))
    assert.equal(hand.answer(), 'accepted')
    assert.equal((await settlement).answer, 'approved')
  })

  test('a channel that throws is broken, the record says so, and the others go on', async () => {
    const hand = createHand()
    const broken = { name: 'broken', maxChars: 65_536, open: () => assert.fail('cannot open') }
    const { approvals } = createRoom([broken, hand.channel])
    const { settlement } = await ask(approvals)
    hand.answer()
    const { members } = await settlement
    assert.deepEqual(members.metadata?.approval.failed, ['broken: broken'])
  })

  test('a channel whose withdrawal throws holds up nobody', async () => {
    const rude = { name: 'rude', maxChars: 65_536, open: () => () => Promise.reject(new Error('no')) }
    const hand = createHand()
    const { approvals } = createRoom([rude, hand.channel])
    const { settlement } = await ask(approvals)
    hand.answer()
    assert.equal((await settlement).answer, 'approved')
    await approvals.close()
  })

  test('a cancelled call and a closing proxy deny, and their questions are withdrawn', async () => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel])
    const one = await ask(approvals)
    const two = await ask(approvals, requestOf({ n: 2 }))
    one.cancel()
    await approvals.close()
    assert.deepEqual([(await one.settlement).answer, (await two.settlement).answer], ['unavailable', 'unavailable'])
    assert.deepEqual(
      hand.open.map(({ withdrawn }) => withdrawn),
      ['unavailable', 'unavailable'],
    )
  })

  test('without a channel, and with redaction that fails, nobody is asked and the call is denied', async () => {
    assert.equal(await codeOf(createRoom([]).approvals), 'approval_unavailable')
    const broken = () => assert.fail('redaction failed')
    assert.equal(await codeOf(createRoom([createHand().channel], { redact: broken }).approvals), 'approval_unavailable')
  })
})

describe('what is recorded', () => {
  test('every event of an approval has the shape of the log, and its members are redacted like any other', async () => {
    const hand = createHand()
    const { approvals, notes } = createRoom([hand.channel])
    const { requested, settlement } = await ask(approvals)
    hand.answer({ shownHash: 'sha256:0' })
    hand.answer({ reason: 'the key is AKIAIOSFODNN7EXAMPLX' })
    hand.answer()
    const { members } = await settlement
    const decision: AuditEvent = { event_type: 'authorization_decision', decision: 'allow', ...members }
    const stamp = { timestamp: new Date(START_MS).toISOString(), eventId: '01990000-0000-7000-8000-000000000000' }
    for (const event of [requested, decision, ...notes]) assert.doesNotThrow(() => shapeEvent(event, [], stamp))
    assert.equal(notes.length, 2)
    assert.doesNotMatch(JSON.stringify(redact(decision)), /AKIAIOSFODNN7EXAMPLX/)
    assert.partialDeepStrictEqual(requested, {
      event_type: 'approval_requested',
      decision: 'ask',
      tool: 'write_file',
      session_id: 's-1',
      correlation_id: 'c-1',
      expires_at: '2026-07-28T09:01:00.000Z',
      matched_rule: 'tool_rules/0',
    })
  })

  test('a remembered approval names the question that was answered, and shows no human_decision of its own', async () => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel])
    const { question, settlement } = await ask(approvals)
    hand.answer({ scope: 'session' })
    await settlement
    const begun = await approvals.begin(requestOf({ n: 2 }))
    assert.ok(!isAsking(begun))
    assert.deepEqual(begun.members, {
      metadata: {
        approval: {
          id: question.id,
          remembered: 'session',
          channel: 'hand',
          shown_hash: question.shownHash,
          granted_at: new Date(START_MS).toISOString(),
          approver: 'ada',
        },
      },
    })
  })

  test('a crash while waiting is visible: a question without a decision is found and said', async () => {
    const { approvals } = createRoom([createHand().channel])
    const [answered, crashed] = [await ask(approvals, requestOf(CALL, { call: 'a' })), await ask(approvals, requestOf(CALL, { call: 'b' }))]
    const log = [
      answered.requested,
      crashed.requested,
      { event_type: 'authorization_decision', correlation_id: answered.requested.correlation_id },
    ]
    const [found, ...rest] = findUnsettled(log, START_MS + MINUTE)
    assert.deepEqual(rest, [])
    assert.partialDeepStrictEqual(found, { approvalId: crashed.question.id, tool: 'write_file', session: 's-1', state: 'abandoned' })
    assert.match(found!.says, /no decision followed/)
    assert.equal(findUnsettled(log, START_MS)[0]!.state, 'waiting')
  })

  test('events of other shapes are no unsettled approvals, and do not stop the search', () => {
    const odd = [
      {},
      { event_type: 7 },
      { event_type: 'approval_requested', metadata: null, expires_at: 5 },
      { event_type: 'authorization_decision' },
    ]
    assert.deepEqual(
      findUnsettled(odd, START_MS).map(({ state }) => state),
      ['abandoned'],
    )
  })
})

describe('options', () => {
  test('channels of one name and time limits out of bounds are refused when the room is made', () => {
    const { channel } = createHand()
    assert.throws(() => createRoom([channel, channel]), TypeError)
    for (const timeoutMs of [0, 999, 3_600_001, Number.NaN]) assert.throws(() => createRoom([channel], { timeoutMs }), RangeError)
  })

  test('a hundred questions may wait; the next is denied', async () => {
    const { approvals } = createRoom([createHand().channel], { limit: { prompts: 1000 } })
    for (let n = 0; n < 100; n++) assert.equal(await codeOf(approvals, requestOf({ n })), 'asked')
    assert.equal(await codeOf(approvals), 'approval_unavailable')
    await approvals.close()
    assert.equal(await codeOf(approvals), 'asked')
  })
})
