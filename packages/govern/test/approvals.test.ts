/** Asking people: settled once, remembered as far as they said, limited, recorded, and never unredacted. @module */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import { type AuditEvent, shapeEvent } from '@sworn/recorder'
import { type createApprovals, findUnsettled, hashShown, settleApproval } from '../src/approvals/index.ts'
import { createTokenBuckets } from '../src/rate.ts'
import { ask, CALL, createHand, createRoom, createTime, isAsking, redact, requestOf, START_MS } from './support/approvals.ts'

const MINUTE = 60_000

/** The reason code that a request comes to, with nobody answering. */
async function codeOf(approvals: ReturnType<typeof createApprovals>, request = requestOf()): Promise<string> {
  const begun = await approvals.begin(request)
  return isAsking(begun) ? 'asked' : settleApproval(request.verdict, begun.answer, begun.reason).reasonCode
}

describe('what a person sees', () => {
  test('the question is the redacted call, whole, and shown_hash is the SHA-256 of its bytes', async () => {
    const { approvals } = createRoom([createHand().channel])
    const { question } = await ask(approvals)
    const [, shown] = question.text.split('\narguments\n')
    assert.deepEqual(JSON.parse(shown!.split('\n\nquestion')[0]!), { ...CALL, token: '[REDACTED:token]' })
    assert.equal(question.shownHash, `sha256:${hash('sha256', Buffer.from(question.text), 'hex')}`)
    for (const words of ['"write_file"', '"files"', '"ada"', '"builder"', '"s-1"', question.id, question.expiresAt])
      assert.ok(question.text.includes(words), words)
  })

  test('no secret of the call is in the question, the events or the settlement', async () => {
    const hand = createHand()
    const { approvals, notes } = createRoom([hand.channel])
    const asked = await ask(approvals, requestOf({ ...CALL, note: 'AKIAIOSFODNN7EXAMPLX', deep: [{ password: 'hunter2hunter2' }] }))
    hand.answer()
    hand.answer()
    const all = JSON.stringify([asked.question, asked.requested, await asked.settlement, notes])
    for (const secret of [CALL.token, 'AKIAIOSFODNN7EXAMPLX', 'hunter2hunter2']) assert.ok(!all.includes(secret), secret)
  })

  test('what is recorded as shown is what was hashed, after the recorder has redacted it again', async () => {
    const { approvals } = createRoom([createHand().channel])
    const { question, requested } = await ask(approvals)
    const recorded = redact(requested)
    assert.equal(hashShown(recorded.metadata.shown), question.shownHash)
    assert.equal(recorded.human_decision.shown_hash, question.shownHash)
  })

  test('control, bidi and invisible characters are escaped, and the escapes are JSON of the same text', async () => {
    const hostile = 'a\u001b[2Jb\u202ec\u200bd\u2066e\u{e0041}f\r\n\u0085\u2028g'
    const { approvals } = createRoom([createHand().channel])
    const { question } = await ask(approvals, requestOf({ path: hostile, [hostile]: 1 }))
    assert.doesNotMatch(question.text, /[^\P{C}\n]|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/u)
    const shown = question.text.split('\narguments\n')[1]!.split('\n\nquestion')[0]!
    assert.deepEqual(JSON.parse(shown), { path: hostile, [hostile]: 1 })
  })

  test('a name cannot forge a line of the question', async () => {
    const { approvals } = createRoom([createHand().channel])
    const request = requestOf()
    const { question } = await ask(approvals, { ...request, action: { ...request.action, name: 'x\nreason    "harmless"' } })
    assert.equal(question.text.split('\n').filter((line) => line.startsWith('reason')).length, 1)
  })

  const unshowable: [string, unknown][] = [
    ['more than 32 KiB', { content: 'x'.repeat(33_000) }],
    [
      'a cycle',
      Object.assign(
        {},
        {
          get self() {
            return this
          },
        },
      ),
    ],
    ['an integer that lost digits', { id: 2 ** 53 + 2 }],
    ['a lone surrogate', { path: '\ud800' }],
    [
      'a getter that throws',
      {
        get path() {
          throw new Error('no')
        },
      },
    ],
  ]
  for (const [what, input] of unshowable) {
    test(`a call with ${what} is not put to a person`, async () => {
      const hand = createHand()
      const { approvals } = createRoom([hand.channel])
      assert.equal(await codeOf(approvals, requestOf(input)), 'approval_unavailable')
      assert.equal(hand.open.length, 0)
    })
  }

  test('a question goes only through channels that can show it whole', async () => {
    const [narrow, wide] = [createHand('narrow', 100), createHand('wide')]
    const { approvals } = createRoom([narrow.channel, wide.channel])
    const { requested, settlement } = await ask(approvals)
    wide.answer()
    assert.equal((await settlement).answer, 'approved')
    assert.equal(narrow.open.length, 0)
    assert.equal(requested.human_decision?.channel, 'wide')
    assert.equal(await codeOf(createRoom([narrow.channel]).approvals), 'approval_unavailable')
  })
})

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

describe('how far an approval goes', () => {
  const again = async (scope: string, first = requestOf(), second = first) => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel])
    const { settlement } = await ask(approvals, first)
    hand.answer({ scope })
    await settlement
    return { code: await codeOf(approvals, second), approvals }
  }
  const changed = (change: object) => {
    const request = requestOf()
    return { ...request, verdict: { ...request.verdict, ...change } }
  }

  const cases: [string, string, ReturnType<typeof requestOf>, string][] = [
    ['once', 'the same call', requestOf(), 'asked'],
    ['call', 'the same call', requestOf({ ...CALL }), 'human_approved'],
    ['call', 'the same members in another order', requestOf(Object.fromEntries(Object.entries(CALL).toReversed())), 'human_approved'],
    ['call', 'another content', requestOf({ ...CALL, content: 'hello!' }), 'asked'],
    [
      'call',
      'another secret, which looks the same when it is shown',
      requestOf({ ...CALL, token: 'sk-live-another-0123456789abcdef' }),
      'asked',
    ],
    ['session', 'the same tool', requestOf({ path: '/srv/place/other' }), 'human_approved'],
    ['session', 'another session', requestOf(CALL, { session: 's-2' }), 'asked'],
    ['session', 'another user', requestOf(CALL, { user: 'eve' }), 'asked'],
    ['session', 'another agent', requestOf(CALL, { agent: 'other' }), 'asked'],
    ['session', 'another policy', changed({ policyHash: 'sha256:2' }), 'asked'],
    ['session', 'another rule', changed({ matchedRule: 'tool_rules/1' }), 'asked'],
  ]
  for (const [scope, what, second, expected] of cases) {
    test(`approved for ${scope}: ${what} is ${expected === 'asked' ? 'asked again' : 'not asked again'}`, async () => {
      assert.equal((await again(scope, requestOf(), second)).code, expected)
    })
  }

  test('a refusal is never remembered, whatever its scope', async () => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel])
    const { settlement } = await ask(approvals)
    hand.answer({ approved: false, scope: 'session' })
    await settlement
    assert.deepEqual(approvals.remembered(), [])
    assert.equal(await codeOf(approvals), 'asked')
  })

  test('approvals are listed, can be taken back, and end with their session', async () => {
    const { approvals } = await again('session')
    const [held] = approvals.remembered()
    assert.partialDeepStrictEqual(held, { scope: 'session', tool: 'write_file', session: 's-1', approver: 'ada', channel: 'hand' })
    assert.equal(approvals.forget(held!.id), true)
    assert.equal(approvals.forget(held!.id), false)
    assert.equal(await codeOf(approvals), 'asked')
    const other = await again('call')
    other.approvals.endSession('s-2')
    assert.equal(await codeOf(other.approvals), 'human_approved')
    other.approvals.endSession('s-1')
    assert.equal(await codeOf(other.approvals), 'asked')
  })

  test('at most a thousand approvals are remembered, the oldest goes first', async () => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel], { limit: { prompts: 2000 } })
    for (let n = 0; n <= 1000; n++) {
      const { settlement } = await ask(approvals, requestOf({ n }))
      hand.answer({ scope: 'call' })
      await settlement
    }
    assert.equal(approvals.remembered().length, 1000)
    assert.equal(await codeOf(approvals, requestOf({ n: 1000 })), 'human_approved')
    assert.equal(await codeOf(approvals, requestOf({ n: 0 })), 'asked')
  })

  test('a call without a session can be approved once only', async () => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel])
    const { action, ...rest } = requestOf()
    const { session: _none, ...ids } = action.ids
    const { question } = await ask(approvals, { ...rest, action: { ...action, ids } })
    assert.deepEqual(question.scopes, ['once'])
    assert.equal(hand.answer({ scope: 'session' }), 'malformed')
  })
})

describe('approval fatigue', () => {
  const room = (over = {}) => createRoom([createHand().channel], over)

  test('ten questions in a minute are asked; one more denies, and so does everything for five minutes', async () => {
    const { approvals, time } = room()
    for (let n = 0; n < 10; n++) {
      assert.equal(await codeOf(approvals), 'asked')
      time.pass(1000)
    }
    assert.equal(await codeOf(approvals), 'approval_cooldown')
    time.pass(5 * MINUTE - 1)
    assert.equal(await codeOf(approvals), 'approval_cooldown')
    time.pass(1)
    assert.equal(await codeOf(approvals), 'asked')
  })

  test('never more than ten in any sixty seconds, however they are spread', async () => {
    const { approvals, time } = room({ limit: { coolDownMs: 1 } })
    const at: number[] = []
    for (let n = 0; n < 200; n++) {
      if ((await codeOf(approvals)) === 'asked') at.push(time.clock())
      time.pass(1 + ((n * 7919) % 5000))
    }
    assert.ok(at.length > 50)
    for (const from of at) assert.ok(at.filter((ms) => ms >= from && ms < from + MINUTE).length <= 10)
  })

  test('several proxies on one counter share the ten and the cool-down', async () => {
    const time = createTime()
    const reserve = createTokenBuckets(time.clock)
    const proxies = [1, 2, 3].map(() => room({ reserve, now: time.now, clock: time.clock, schedule: time.schedule }).approvals)
    const codes: string[] = []
    for (let n = 0; n < 12; n++) codes.push(await codeOf(proxies[n % 3]!))
    assert.equal(codes.filter((code) => code === 'asked').length, 10)
    time.pass(5 * MINUTE - 1)
    assert.equal(await codeOf(proxies[0]!), 'approval_cooldown')
    time.pass(1)
    assert.equal(await codeOf(proxies[0]!), 'asked')
  })

  test('a new counter, after a take-over, does not end the cool-down of who saw it begin', async () => {
    const time = createTime()
    let reserve = createTokenBuckets(time.clock)
    const { approvals } = room({ reserve: (step: Parameters<typeof reserve>[0]) => reserve(step), now: time.now, clock: time.clock })
    for (let n = 0; n < 11; n++) await codeOf(approvals)
    reserve = createTokenBuckets(time.clock)
    assert.equal(await codeOf(approvals), 'approval_cooldown')
  })

  test('a counter that does not answer denies as unavailable', async () => {
    assert.equal(await codeOf(room({ reserve: () => Promise.reject(new Error('gone')) }).approvals), 'approval_unavailable')
    assert.equal(await codeOf(room({ reserve: async () => ({ granted: true, retryAfterMs: 0 }) }).approvals), 'approval_unavailable')
  })

  test('what is not asked is not counted: remembered approvals and calls that cannot be shown', async () => {
    const hand = createHand()
    const { approvals } = createRoom([hand.channel])
    const { settlement } = await ask(approvals)
    hand.answer({ scope: 'session' })
    await settlement
    for (let n = 0; n < 30; n++) assert.equal(await codeOf(approvals), 'human_approved')
    for (let n = 0; n < 30; n++) assert.equal(await codeOf(approvals, requestOf({ n: 2 ** 60 })), 'approval_unavailable')
    for (let n = 0; n < 9; n++) assert.equal(await codeOf(approvals, requestOf(CALL, { session: `s-${n + 2}` })), 'asked')
    assert.equal(await codeOf(approvals, requestOf(CALL, { session: 's-99' })), 'approval_cooldown')
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
