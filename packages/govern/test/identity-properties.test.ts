/** What holds of tokens under every alteration and every interleaving. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReserveFn } from '@sworn/recorder'
import fc from 'fast-check'
import type { IssuedToken } from '../src/identity/index.ts'
import { createMarks } from '../src/identity/marks.ts'
import { createTokenBuckets } from '../src/rate.ts'
import { bindingOf, createMachine, FREE, identityPolicy, outcome, startProcess } from './support/identity.ts'
import { runs } from './support/make.ts'
import { createTurns, order } from './support/turns.ts'

const some = { ...runs, numRuns: Math.ceil(runs.numRuns / 3) }

for (const algorithm of ['ES256', 'ES384', 'EdDSA'] as const)
  test(`a token signed with ${algorithm} that is altered in any bit is refused, and the original still counts`, async () => {
    const policy = identityPolicy(FREE.replace('}', `, keys: {signing_algorithm: ${algorithm}}}`))
    const identity = startProcess(createMachine(), { policy })
    const { text } = await (await identity.openSession()).token()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: text.length * 8 - 1 }), async (bit) => {
        const bytes = Buffer.from(text, 'latin1')
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        assert.equal(await outcome(identity, bytes.toString('latin1')), 'malformed')
      }),
      { ...runs, numRuns: runs.numRuns * 4 },
    )
    assert.equal(await outcome(identity, text), 'ok')
  })

test('what is cut from a token, put into it or swapped between two of them is refused', async () => {
  const identity = startProcess(createMachine())
  const session = await identity.openSession()
  const [a, b] = [(await session.token({ fresh: true })).text, (await session.token({ fresh: true })).text]
  const [partsA, partsB] = [a.split('.'), b.split('.')]
  const swapped = [0, 1, 2].map((n) => partsA.with(n, partsB[n]!).join('.')).filter((text) => text !== a) // one key: one header
  assert.equal(swapped.length, 2)
  const none = Buffer.from('{"alg":"none","typ":"aip+jwt","kid":"x"}').toString('base64url')
  const forged = [
    ...swapped,
    `${none}.${partsA[1]}.`,
    `${none}.${partsA[1]}.${partsA[2]}`,
    `${a}=`,
    `${a} `,
    ` ${a}`,
    `${a}.`,
    `.${a}`,
    `${a}\n`,
  ]
  for (const text of forged) assert.equal(await outcome(identity, text), 'malformed')
  await fc.assert(
    fc.asyncProperty(fc.nat(a.length - 1), fc.string({ maxLength: 4 }), async (at, put) => {
      const text = a.slice(0, at) + put + a.slice(at + 1)
      if (text !== a) assert.equal(await outcome(identity, text), 'malformed')
    }),
    some,
  )
  assert.deepEqual([await outcome(identity, a), await outcome(identity, b)], ['ok', 'ok'])
})

test('a token that another key signed is refused, whatever it says', async () => {
  const [ours, theirs] = [createMachine(), createMachine()]
  const identity = startProcess(ours)
  await (await identity.openSession()).token()
  const { text } = await (await startProcess(theirs).openSession()).token()
  assert.equal(await outcome(identity, text), 'malformed')
})

test('of any number of presentations in two processes, in any interleaving, exactly one is accepted', async () => {
  await fc.assert(
    fc.asyncProperty(order, fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }), async (drawn, where) => {
      const machine = createMachine()
      const token = await (await startProcess(machine).openSession()).token()
      const { reserve, run } = createTurns(machine.reserve, drawn)
      const [a, b] = [startProcess(machine, { reserve }), startProcess(machine, { reserve, binding: bindingOf(2) })]
      const answers: string[] = []
      await run(where.map((inA) => async () => answers.push(await outcome(inA ? a : b, token))))
      assert.deepEqual(answers.toSorted(), ['ok', ...Array(where.length - 1).fill('replay_detected')])
    }),
    runs,
  )
})

test('wherever the counter forgets, no token is accepted twice', async () => {
  await fc.assert(
    fc.asyncProperty(order, fc.nat(12), fc.integer({ min: 2, max: 5 }), async (drawn, forgetAt, presentations) => {
      const machine = createMachine()
      const token = await (await startProcess(machine).openSession()).token()
      const turns = createTurns((step) => {
        if (turns.now() === forgetAt) machine.forget()
        return machine.reserve(step)
      }, drawn)
      const identity = startProcess(machine, turns)
      const answers: string[] = []
      await turns.run(Array.from({ length: presentations }, () => async () => answers.push(await outcome(identity, token))))
      assert.ok(answers.filter((answer) => answer === 'ok').length <= 1, answers.join())
    }),
    runs,
  )
})

test('no interleaving of rotation, revocation and validation accepts a token once its revocation is done', async () => {
  const step = fc.record({ kind: fc.constantFrom('check', 'revoke session', 'revoke token'), token: fc.nat(2) })
  const steps = fc.array(step, { minLength: 2, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(order, steps, fc.nat(3), async (drawn, others, rotations) => {
      const machine = createMachine()
      const turns = createTurns(machine.reserve, drawn)
      const issuer = startProcess(machine, turns)
      const session = await issuer.openSession()
      const tokens = await Promise.all([0, 1, 2].map(() => session.token({ fresh: true })))
      const endedAt = new Map<string, number>() // session → when a revocation of it had been done
      const revoked = new Set<string>() // tokens that a revocation found unused
      const accepted = new Set<string>()

      async function revokeSession(session: string): Promise<void> {
        await startProcess(machine, turns).revoke({ target: { session }, by: 'ops' })
        endedAt.set(session, Math.min(turns.now(), endedAt.get(session) ?? Number.POSITIVE_INFINITY))
      }

      async function revokeToken(tokenId: string): Promise<void> {
        if ((await startProcess(machine, turns).revoke({ target: { tokenId }, by: 'ops' })) === 'live') revoked.add(tokenId)
      }

      async function check({ text, id, sessionId }: IssuedToken): Promise<void> {
        let lastAsked = 0
        const reserve: ReserveFn = async (step) => {
          const answer = await turns.reserve(step)
          lastAsked = turns.now()
          return answer
        }
        if ((await outcome(startProcess(machine, { reserve, binding: bindingOf(2) }), text)) !== 'ok') return
        accepted.add(id)
        assert.ok(lastAsked <= (endedAt.get(sessionId) ?? Number.POSITIVE_INFINITY), 'accepted after the end of its session')
      }

      async function rotate(): Promise<void> {
        for (let n = 0; n < rotations; n++) {
          const over = endedAt.has(session.id)
          const made = await session.token({ fresh: true }).catch(() => undefined)
          assert.ok(!made || !over, 'a revoked session made a token')
          if (made) await check(made)
        }
      }

      const toOperation = ({ kind, token }: { kind: string; token: number }) => {
        const { sessionId, id } = tokens[token]!
        if (kind === 'check') return () => check(tokens[token]!)
        return kind === 'revoke token' ? () => revokeToken(id) : () => revokeSession(sessionId)
      }
      await turns.run([rotate, ...others.map(toOperation)])
      assert.deepEqual(accepted.intersection(revoked), new Set())
      for (const token of tokens)
        if (endedAt.has(token.sessionId) || revoked.has(token.id)) assert.notEqual(await outcome(issuer, token), 'ok')
    }),
    { ...runs, numRuns: runs.numRuns * 2 },
  )
})

test('a life is ended by exactly one of all who end it, in any order, and never comes back', async () => {
  await fc.assert(
    fc.asyncProperty(order, fc.integer({ min: 1, max: 6 }), fc.nat(3_600_000), async (drawn, enders, laterMs) => {
      let nowMs = 0
      const turns = createTurns(
        createTokenBuckets(() => nowMs),
        drawn,
      )
      const marks = createMarks(turns.reserve)
      assert.deepEqual([await marks.begin('k'), await marks.look(['k', 'other'])], [true, ['live', 'unknown']])
      const lives: string[] = []
      await turns.run(Array.from({ length: enders }, () => async () => lives.push(await marks.end('k'))))
      assert.deepEqual(lives.toSorted(), [...Array(enders - 1).fill('ended'), 'live'])
      nowMs += laterMs
      assert.deepEqual([await marks.look(['k']), await marks.end('k'), await marks.begin('k')], [['ended'], 'ended', false])
    }),
    runs,
  )
})

test('what was never begun is unknown, whoever looks at it or ends it; nothing begins under what is not live', async () => {
  const marks = createMarks(createTokenBuckets(() => 0))
  assert.deepEqual([await marks.look(['k']), await marks.end('k'), await marks.end('k')], [['unknown'], 'unknown', 'unknown'])
  assert.equal(await marks.beginUnder('parent', 'child'), 'unknown')
  await marks.begin('parent')
  assert.equal(await marks.beginUnder('parent', 'child 2'), 'live')
  assert.deepEqual(await marks.endUnder('parent', 'child 2'), { life: 'live', parent: 'live' })
  await marks.end('parent')
  assert.equal(await marks.beginUnder('parent', 'child 3'), 'ended')
  assert.deepEqual(await marks.endUnder('parent', 'child 2'), { life: 'ended', parent: 'ended' })
})

test('ten thousand other counters make an ended life unknown, one bucket after the other, and never live again', async () => {
  const seen: string[] = []
  for (let others = 9_996; others <= 10_002; others++) {
    const reserve = createTokenBuckets(() => 0)
    const marks = createMarks(reserve)
    await marks.begin('k')
    await marks.end('k')
    for (let n = 0; n < others; n++) await reserve({ key: `other ${n}`, amount: 1, limit: 1, perMs: 1 })
    seen.push(await marks.end('k'))
  }
  assert.deepEqual(seen, ['ended', 'ended', 'ended', 'unknown', 'unknown', 'unknown', 'unknown'])
})

test('a counter that does not tell what was used is none', async () => {
  const marks = createMarks(async () => ({ granted: true, retryAfterMs: 0 }))
  for (const ask of [() => marks.begin('k'), () => marks.look(['k']), () => marks.end('k')]) await assert.rejects(ask(), TypeError)
})
