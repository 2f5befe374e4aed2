/** What a person is shown: the redacted call, whole, with a hash of its bytes. @module */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { AuditEvent } from '@sworn/recorder'
import { hashShown } from '../src/approvals/index.ts'
import { ask, CALL, codeOf, createHand, createRoom, redact, requestOf } from './support/approvals.ts'

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

  test('the printed question is redacted once more, and the hash is of what that left', async () => {
    const alsoPrinted = (event: AuditEvent) =>
      JSON.parse(JSON.stringify(redact(event)).replaceAll('write_file\\"\\nserver', '[REDACTED:pair]'))
    const { approvals } = createRoom([createHand().channel], { redact: alsoPrinted })
    const { question, requested } = await ask(approvals)
    assert.match(question.text, /\[REDACTED:pair\]/)
    assert.equal(question.shownHash, hashShown(question.text))
    assert.equal((requested.metadata as { shown: string }).shown, question.text)
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
