/** Whatever happens in whatever order: settled once, and approved only by a good answer in time. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { settleApproval } from '../src/approval.ts'
import { isSignedWebhook, parseWebhookSecret } from '../src/approvals/index.ts'
import { type Happening, openQuestion, type State, step } from '../src/approvals/settling.ts'
import { formatShown, hashShown } from '../src/approvals/show.ts'
import { ask, createHand, createRoom, requestOf, START_MS } from './support/approvals.ts'
import { SECRET, signedHeaders, webhookAnswer } from './support/channel-drivers.ts'
import { runs } from './support/make.ts'

const QUESTION = { id: 'a'.repeat(32), shownHash: hashShown('shown'), timeoutMs: 60_000, scopes: ['once', 'session'] as const }
const CHANNELS = ['terminal', 'webhook', 'api']
const GOOD = { id: QUESTION.id, shownHash: QUESTION.shownHash, approved: true, scope: 'once' }

const channel = fc.constantFrom(...CHANNELS, 'never opened')
const mostlyGood = (name: keyof typeof GOOD, other: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(GOOD[name]) }, { weight: 1, arbitrary: other })
const answer = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      id: mostlyGood('id', fc.string()),
      shownHash: mostlyGood('shownHash', fc.string()),
      approved: fc.oneof(fc.boolean(), fc.constant('yes')),
      scope: mostlyGood('scope', fc.constantFrom('session', 'call', 'ever')),
    }),
  },
  { weight: 1, arbitrary: fc.anything() },
)
const happening = fc.oneof(
  fc.record({ kind: fc.constant('told' as const), channel, report: fc.record({ kind: fc.constant('answer' as const), answer }) }),
  fc.record({
    kind: fc.constant('told' as const),
    channel,
    report: fc.record({ kind: fc.constant('failed' as const), why: fc.constant('closed' as const) }),
  }),
  fc.record({ kind: fc.constant('told' as const), channel, report: fc.record({ kind: fc.constant('shown' as const) }) }),
  fc.record({ kind: fc.constantFrom('cancelled' as const, 'time' as const) }),
)
const history = fc.array(fc.tuple(happening, fc.oneof(fc.nat(3000), fc.nat(70_000))), { maxLength: 30 })

/** The states after each happening; time never runs backwards. */
function replay(events: readonly (readonly [object, number])[]): { happening: Happening; state: State; reception: string }[] {
  let state = openQuestion(QUESTION, CHANNELS)
  let elapsedMs = 0
  return events.map(([event, passed]) => {
    elapsedMs += passed
    const happened = { ...event, elapsedMs } as Happening // the arbitrary makes all but the time
    const after = step(state, happened)
    state = after.state
    return { happening: happened, ...after }
  })
}

describe('settling, for every order of answers, failures, cancellations and time', () => {
  test('a question is settled at most once and never again otherwise', () => {
    fc.assert(
      fc.property(history, (events) => {
        const states = replay(events).map(({ state }) => state.settled)
        const first = states.findIndex((settled) => settled !== undefined)
        if (first >= 0) for (const settled of states.slice(first)) assert.equal(settled, states[first])
        assert.ok(first >= 0 || states.every((settled) => settled === undefined))
      }),
      runs,
    )
  })

  test('it is settled by the end of its time, whatever came before', () => {
    fc.assert(
      fc.property(history, (events) => {
        const { state } = replay([...events, [{ kind: 'time' }, QUESTION.timeoutMs]]).at(-1)!
        assert.ok(state.settled && state.settled.elapsedMs <= QUESTION.timeoutMs)
      }),
      runs,
    )
  })

  test('it is approved only by the first good answer, in time, from a channel that was open', () => {
    let approved = 0
    fc.assert(
      fc.property(history, (events) => {
        const steps = replay(events)
        const accepted = steps.filter(({ reception }) => reception === 'accepted')
        assert.ok(accepted.length <= 1)
        if (steps.at(-1)?.state.settled?.answer !== 'approved') return
        approved++
        const { happening } = accepted[0]!
        assert.ok(happening.kind === 'told' && happening.report.kind === 'answer')
        assert.ok(CHANNELS.includes(happening.channel) && happening.elapsedMs < QUESTION.timeoutMs)
        const { id, shownHash, approved: said, scope } = happening.report.answer as typeof GOOD
        assert.deepEqual([id, shownHash, said], [QUESTION.id, QUESTION.shownHash, true])
        assert.ok((QUESTION.scopes as readonly string[]).includes(scope))
      }),
      { ...runs, numRuns: Math.max(500, runs.numRuns) },
    )
    assert.ok(approved > 20, `only ${approved} histories approved: the property says little`)
  })

  test('an answer for other bytes never approves', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, shownHash) => {
        fc.pre(id !== QUESTION.id || shownHash !== QUESTION.shownHash)
        const { state } = step(openQuestion(QUESTION, CHANNELS), {
          kind: 'told',
          channel: 'api',
          report: { kind: 'answer', answer: { ...GOOD, id, shownHash } },
          elapsedMs: 1,
        })
        assert.equal(state.settled, undefined)
      }),
      runs,
    )
  })
})

describe('asking, for every order of what channels tell', () => {
  test('the settlement resolves once, every channel is withdrawn once with it, and later answers are noted', async () => {
    const act = fc.constantFrom('approve', 'deny', 'fail', 'wrong', 'garbage', 'cancel', 'pass', 'late pass')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(act, fc.nat(2)), { maxLength: 12 }), async (acts) => {
        const hands = ['a', 'b', 'c'].map((name) => createHand(name))
        const { approvals, time, notes } = createRoom(hands.map((hand) => hand.channel))
        const { settlement, cancel } = await ask(approvals)
        const receptions = acts.map(([what, n]) => {
          if (what === 'approve' || what === 'deny') return hands[n]!.answer({ approved: what === 'approve' })
          if (what === 'wrong') return hands[n]!.answer({ shownHash: 'sha256:0' })
          if (what === 'garbage') return hands[n]!.open[0]!.tell({ kind: 'answer', answer: null })
          if (what === 'fail') return hands[n]!.open[0]!.tell({ kind: 'failed', why: 'closed' })
          if (what === 'cancel') return cancel()
          return time.pass(25_000, { late: what === 'late pass' })
        })
        time.pass(60_000)
        await approvals.close()
        const { answer } = await settlement
        const accepted = receptions.indexOf('accepted')
        const said = accepted < 0 ? undefined : acts[accepted]![0]
        assert.equal(answer === 'approved', said === 'approve')
        assert.equal(answer === 'denied', said === 'deny')
        for (const hand of hands)
          assert.deepEqual(
            hand.open.map(({ withdrawn }) => withdrawn),
            [answer],
          )
        const heard = receptions.filter((reception) => reception === 'late' || reception === 'mismatch' || reception === 'malformed')
        assert.equal(notes.length, Math.min(heard.length, 10))
        assert.equal(time.timers(), 0)
      }),
      runs,
    )
  })

  test('only approved becomes allow', () => {
    const { verdict } = requestOf()
    for (const answer of ['approved', 'denied', 'timeout', 'unavailable', 'cooldown'] as const)
      assert.equal(settleApproval(verdict, answer).decision, answer === 'approved' ? 'allow' : 'deny')
  })
})

describe('what is shown', () => {
  test('for any JSON: it parses back to the arguments, and holds no control, bidi or invisible character', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }), fc.string({ unit: 'binary' }), (input, tool) => {
        const text = formatShown({ tool, reason: tool, arguments: input }, { id: 'x', expiresAt: 'y' })
        assert.doesNotMatch(text, /[^\P{C}\n\p{Co}\p{Cn}]|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/u)
        const shown = text.slice(text.indexOf('\narguments\n') + 11, text.lastIndexOf('\n\nquestion'))
        assert.equal(JSON.stringify(JSON.parse(shown)), JSON.stringify(input ?? null))
      }),
      runs,
    )
  })
})

describe('signed answers', () => {
  const key = parseWebhookSecret(SECRET)
  const id = `approval_${QUESTION.id}`
  const body = webhookAnswer(QUESTION, true)
  const signed = signedHeaders(QUESTION.id, body)

  test('any change to body, id, timestamp, signature or key is noticed', () => {
    assert.equal(isSignedWebhook(key, id, START_MS, new Headers(signed), body), true)
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const
    fc.assert(
      fc.property(fc.constantFrom(...names, 'body'), fc.nat(300), fc.integer({ min: 1, max: 25 }), (where, at, by) => {
        const text = where === 'body' ? body : signed[where]!
        const n = at % text.length
        const code = 97 + ((text.charCodeAt(n) + by) % 26)
        const forged = text.slice(0, n) + String.fromCharCode(code) + text.slice(n + 1)
        fc.pre(forged !== text && !isSameSignature(where, forged, text))
        const headers = new Headers(where === 'body' ? signed : { ...signed, [where]: forged })
        assert.equal(isSignedWebhook(key, id, START_MS, headers, where === 'body' ? forged : body), false)
      }),
      runs,
    )
  })

  /** The last character of base64 has bits that mean nothing. */
  const isSameSignature = (where: string, a: string, b: string) =>
    where === 'webhook-signature' && Buffer.from(a.slice(3), 'base64').equals(Buffer.from(b.slice(3), 'base64')) && a.startsWith('v1,')

  test('for any headers and body without the key it is false, and it never throws', () => {
    const printable = fc.string({ unit: 'grapheme-ascii' })
    fc.assert(
      fc.property(printable, printable, printable, fc.string(), (one, two, three, text) => {
        const get = (name: string) => ({ 'webhook-id': one, 'webhook-timestamp': two, 'webhook-signature': `v1,${three}` })[name] ?? null
        assert.equal(isSignedWebhook(key, one, START_MS, { get }, text), false)
      }),
      runs,
    )
  })
})
