/** How far an approval goes, and how often people are asked. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTokenBuckets } from '../src/rate.ts'
import { ask, CALL, codeOf, createHand, createRoom, createTime, requestOf } from './support/approvals.ts'

const MINUTE = 60_000

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
