/** Identity tokens: what they say, when they count, what is recorded and what the client is told. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import { eventSchema } from '@sworn/recorder/schemas'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { tokenId } from '../src/identity/index.ts'
import { bindingOf, createMachine, FREE, identityPolicy, outcome, START_MS, startProcess } from './support/identity.ts'

const MINUTE = 60_000

describe('a token', () => {
  test("says who, for whom, under which policy, until when, in AIP's words", async () => {
    const machine = createMachine()
    const policy = identityPolicy('identity: {enabled: true, audience: "https://mcp.example.com"}')
    const session = await startProcess(machine, { policy }).openSession()
    const { text } = await session.token()
    const { nonce, ...claims } = decodeJwt(text)
    assert.match(String(nonce), /^[0-9a-f]{32}$/)
    assert.deepEqual(claims, {
      version: 'aip/v1alpha2',
      aud: 'https://mcp.example.com',
      policy_hash: policy.hash.slice(7),
      session_id: session.id,
      agent_id: 'test',
      issued_at: '2026-01-24T10:00:00.000Z',
      expires_at: '2026-01-24T10:05:00.000Z',
      binding: bindingOf(1),
      iat: START_MS / 1000,
      exp: START_MS / 1000 + 300,
    })
    assert.partialDeepStrictEqual(decodeProtectedHeader(text), { alg: 'ES256', typ: 'aip+jwt' })
  })

  test('counts once', async () => {
    const machine = createMachine()
    const identity = startProcess(machine)
    const token = await (await identity.openSession()).token()
    assert.deepEqual([await outcome(identity, token), await outcome(identity, token)], ['ok', 'replay_detected'])
  })

  test('counts once among all processes of a ledger, and not after the counters were lost', async () => {
    const machine = createMachine()
    const [a, b] = [startProcess(machine), startProcess(machine, { binding: bindingOf(2) })]
    const session = await a.openSession()
    const [first, second] = [await session.token({ fresh: true }), await session.token({ fresh: true })]
    assert.deepEqual([await outcome(b, first), await outcome(a, first)], ['ok', 'replay_detected'])
    machine.forget()
    assert.notEqual(await outcome(b, first), 'ok')
    assert.notEqual(await outcome(a, second), 'ok')
    await assert.rejects(session.token(), (e) => SwornError.is(e, 'ACTION_DENIED'))
  })

  test('of a session that the counters forgot counts for nothing; the session goes on unless the record says that it was revoked', async () => {
    const machine = createMachine()
    const revoked = new Set<string>()
    const identity = startProcess(machine, { revokedOnRecord: async (id) => revoked.has(id) })
    const [goesOn, ends] = [await identity.openSession(), await identity.openSession()]
    const before = await goesOn.token()
    await identity.revoke({ target: { session: ends.id }, by: 'ops' })
    revoked.add(ends.id)
    machine.forget()
    await assert.rejects(ends.token(), (e) => SwornError.is(e, 'ACTION_DENIED'))
    const after = await goesOn.token()
    assert.deepEqual([after.sessionId, after.id === before.id], [before.sessionId, false])
    assert.deepEqual([await outcome(identity, before), await outcome(identity, after)], ['replay_detected', 'ok'])
  })

  test('of a session that ended counts no more, and a session cannot be opened twice', async () => {
    const identity = startProcess(createMachine())
    const session = await identity.openSession('11111111-1111-4111-8111-111111111111')
    const token = await session.token()
    await assert.rejects(identity.openSession(session.id), (e) => SwornError.is(e, 'ACTION_DENIED'))
    await session.end()
    assert.equal(await outcome(identity, token), 'session_revoked')
    await assert.rejects(session.token(), (e) => SwornError.is(e, 'ACTION_DENIED'))
  })

  test('that came in a body is refused unread, also where none is required, and stays unspent', async () => {
    const machine = createMachine()
    const identity = startProcess(machine, { policy: identityPolicy('identity: {enabled: true}') })
    const token = await (await identity.openSession()).token()
    const { refusal, rejected } = await identity.judge({ token: token.text, misplaced: true }, 'read_file')
    assert.deepEqual([refusal?.rpcError?.code, rejected?.metadata], [-32009, { fault: 'misplaced' }])
    assert.equal(await outcome(identity, token), 'ok')
  })

  test('ends to the millisecond', async () => {
    const machine = createMachine()
    const identity = startProcess(machine)
    const session = await identity.openSession()
    const tokens = [await session.token({ fresh: true }), await session.token({ fresh: true })]
    machine.nowMs += 5 * MINUTE - 1
    assert.equal(await outcome(identity, tokens[0]), 'ok')
    machine.nowMs += 1
    assert.equal(await outcome(identity, tokens[1]), 'token_expired')
  })

  test('from a clock that is ahead counts within the tolerance', async () => {
    const machine = createMachine()
    const identity = startProcess(machine)
    const session = await identity.openSession()
    const tokens = [await session.token({ fresh: true }), await session.token({ fresh: true })]
    machine.nowMs -= 30_001
    assert.equal(await outcome(identity, tokens[0]), 'malformed')
    machine.nowMs += 1
    assert.equal(await outcome(identity, tokens[1]), 'ok')
  })

  test('of another policy is refused, but for the grace of a change', async () => {
    const machine = createMachine()
    const next = identityPolicy(`allowed_tools: [a]\n${FREE.replace('}', ', policy_transition_grace: 2m}')}`)
    const identity = startProcess(machine)
    const session = await identity.openSession()
    const [kept, late] = [await session.token({ fresh: true }), await session.token({ fresh: true })]
    identity.follow(next)
    machine.nowMs += 2 * MINUTE - 1
    assert.equal(await outcome(identity, kept), 'ok')
    machine.nowMs += 1
    assert.equal(await outcome(identity, late), 'policy_changed')
    assert.equal(await outcome(identity, await session.token()), 'ok')
  })

  test('for another service is told apart: -32012 in strict, the policy first in aip-compat', async () => {
    for (const [profile, code, word] of [
      ['strict', -32012, 'audience_mismatch'],
      ['aip-compat', -32009, 'policy_changed'],
    ] as const) {
      const machine = createMachine()
      const identity = startProcess(machine, { policy: identityPolicy(FREE, profile) })
      const token = await (await identity.openSession()).token()
      identity.follow(identityPolicy(FREE.replace('}', ', audience: "https://other.example.com"}'), profile))
      const { refusal } = await identity.judge({ token: token.text }, 'read_file')
      assert.partialDeepStrictEqual(refusal?.rpcError, { code, data: { tool: 'read_file', token_error: word } })
    }
  })

  test('is bound to the session of the call', async () => {
    const identity = startProcess(createMachine())
    const [mine, other] = [await identity.openSession(), await identity.openSession()]
    assert.equal(await outcome(identity, await mine.token(), other.id), 'session_mismatch')
    assert.equal(await outcome(identity, await mine.token(), mine.id), 'ok')
  })

  const places = [
    ['process', bindingOf(1), 'ok'],
    ['process', bindingOf(1, { policy_path: '/other.yaml', hostname: 'other' }), 'ok'],
    ['process', bindingOf(2), 'session_mismatch'],
    ['process', bindingOf(1, { instance: bindingOf(2).instance }), 'session_mismatch'],
    ['policy', bindingOf(2, { hostname: 'other' }), 'ok'],
    ['strict', bindingOf(1), 'ok'],
    ['strict', bindingOf(2), 'binding_mismatch'],
    ['strict', bindingOf(1, { policy_path: '/other.yaml' }), 'binding_mismatch'],
    ['strict', bindingOf(1, { hostname: 'other' }), 'binding_mismatch'],
  ] as const
  for (const [mode, place, expected] of places)
    test(`bound by ${mode} and presented by process ${place.process_id} of ${place.hostname} with ${place.policy_path}: ${expected}`, async () => {
      const machine = createMachine()
      const policy = identityPolicy(FREE.replace('session_binding: policy', `session_binding: ${mode}`))
      const token = await (await startProcess(machine, { policy }).openSession()).token()
      assert.equal(await outcome(startProcess(machine, { policy, binding: place }), token), expected)
    })

  test('that is required and absent is -32008; that is not required may be absent, and still must hold when presented', async () => {
    const required = startProcess(createMachine())
    for (const token of [undefined, null, '']) {
      const { refusal } = await required.judge({ token }, 'read_file')
      assert.partialDeepStrictEqual(refusal, {
        decision: 'deny',
        reasonCode: 'identity_missing',
        rpcError: { code: -32008, message: 'Token required' },
      })
    }
    const optional = startProcess(createMachine(), { policy: identityPolicy('identity: {enabled: true}') })
    assert.deepEqual(await optional.judge({}, 'read_file'), {})
    assert.equal(await outcome(optional, 'x.y.z'), 'malformed')
  })

  test('does not count, and none is made, while the counter does not answer', async () => {
    const machine = createMachine()
    let down = false
    const identity = startProcess(machine, { reserve: async (step) => (down ? Promise.reject(new Error('down')) : machine.reserve(step)) })
    const session = await identity.openSession()
    const token = await session.token()
    down = true
    const { refusal } = await identity.judge({ token: token.text }, 'read_file')
    assert.partialDeepStrictEqual(refusal, { decision: 'deny', reasonCode: 'audit_unavailable' })
    await assert.rejects(session.token({ fresh: true }))
    down = false
    assert.equal(await outcome(identity, token), 'ok')
  })

  test('that cannot be recorded is not handed out', async () => {
    const machine = createMachine()
    const session = await startProcess(machine, { record: async () => Promise.reject(new Error('disk full')) }).openSession()
    await assert.rejects(session.token(), /disk full/)
  })
})

describe('a session', () => {
  test('keeps its token until it was presented, grows old, or the policy changes', async () => {
    const machine = createMachine()
    const identity = startProcess(machine)
    const session = await identity.openSession()
    const first = await session.token()
    machine.nowMs += 4 * MINUTE - 1
    assert.equal((await session.token()).id, first.id)
    machine.nowMs += 1
    const second = await session.token()
    assert.notEqual(second.id, first.id)
    assert.deepEqual([await outcome(identity, first), await outcome(identity, second)], ['ok', 'ok'])
    const third = await session.token()
    assert.notEqual(third.id, second.id)
    identity.follow(identityPolicy(`allowed_tools: [a]\n${FREE}`))
    assert.notEqual((await session.token()).id, third.id)
    assert.deepEqual(new Set(machine.events.map(({ session_id }) => session_id)), new Set([session.id]))
  })

  test('gives calls beside each other a token each when they ask for a fresh one, and one when they do not', async () => {
    const session = await startProcess(createMachine()).openSession()
    const same = await Promise.all([1, 2, 3].map(() => session.token()))
    const fresh = await Promise.all([1, 2, 3].map(() => session.token({ fresh: true })))
    assert.equal(new Set(same.map(({ id }) => id)).size, 1)
    assert.equal(new Set(fresh.map(({ id }) => id)).size, 3)
  })

  test('that is revoked gives no token, and none of its tokens counts, in any process', async () => {
    const machine = createMachine()
    const [a, b] = [startProcess(machine), startProcess(machine, { binding: bindingOf(2) })]
    const session = await a.openSession()
    const token = await session.token()
    assert.equal(await b.revoke({ target: { session: session.id }, by: 'ops@example.com', reason: 'left' }), 'live')
    for (const identity of [a, b]) {
      const { refusal } = await identity.judge({ token: token.text }, 'read_file')
      assert.partialDeepStrictEqual(refusal?.rpcError, { code: -32011, message: 'Token revoked', data: { revocation_type: 'session' } })
      assert.equal(refusal?.reasonCode, 'identity_revoked')
    }
    await assert.rejects(session.token({ fresh: true }), /ended or revoked/)
  })

  test('outlives one of its tokens that is revoked', async () => {
    const machine = createMachine()
    const [a, b] = [startProcess(machine), startProcess(machine, { binding: bindingOf(2) })]
    const session = await a.openSession()
    const token = await session.token()
    assert.equal(await b.revoke({ target: { tokenId: token.id }, by: 'ops' }), 'live')
    assert.equal(await b.revoke({ target: { tokenId: token.id }, by: 'ops' }), 'ended')
    assert.equal(await b.revoke({ target: { tokenId: tokenId('00'.repeat(16)) }, by: 'ops' }), 'unknown')
    assert.equal(await outcome(a, token), 'token_revoked')
    assert.equal(await outcome(a, await session.token()), 'ok')
  })

  test('whose revocation cannot be recorded is revoked all the same, and whoever asked learns that it is not recorded', async () => {
    const machine = createMachine()
    let full = false
    const identity = startProcess(machine, { record: async () => (full ? Promise.reject(new Error('disk full')) : undefined) })
    const session = await identity.openSession()
    const token = await session.token()
    full = true
    await assert.rejects(identity.revoke({ target: { session: session.id }, by: 'ops' }), /disk full/)
    assert.equal(await outcome(identity, token), 'session_revoked')
  })
})

describe('the record', () => {
  test('AW20: tells of every token by its id, and holds neither token nor nonce', async () => {
    const machine = createMachine()
    const identity = startProcess(machine)
    const session = await identity.openSession()
    const tokens = [await session.token(), await session.token({ fresh: true })]
    await identity.revoke({ target: { tokenId: tokens[0]!.id }, by: 'ops' })
    const [issued, rotated, revoked] = machine.events
    assert.partialDeepStrictEqual(issued, {
      event_type: 'identity_token_issued',
      token_id: tokens[0]!.id,
      session_id: session.id,
      agent_id: 'test',
    })
    assert.partialDeepStrictEqual(rotated, {
      event_type: 'identity_token_rotated',
      old_token_id: tokens[0]!.id,
      new_token_id: tokens[1]!.id,
    })
    assert.partialDeepStrictEqual(revoked, { event_type: 'identity_token_revoked', token_id: tokens[0]!.id, user: 'ops' })
    const all = JSON.stringify(machine.events)
    for (const { text, claims } of tokens) {
      assert.ok(!all.includes(claims.nonce))
      for (const part of text.split('.')) assert.ok(!all.includes(part))
    }
    for (const event of machine.events) eventSchema.parse(event)
  })
})
