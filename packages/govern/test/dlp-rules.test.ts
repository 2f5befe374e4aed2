/** What a policy says about findings: what is built in, actions, masks, exceptions, encodings within encodings, time. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createGate, SCAN_FAILED } from '../src/index.ts'
import { emptyDisk, gateOf, policyOf, runs } from './support/make.ts'

const TOKEN = `ghp_${'FAKE0fake1'.repeat(4)}`
const CARD = '4111 1111 1111 1111'
const response = (dlp: string, value: unknown) => gateOf(`dlp: ${dlp}`).inspect(value, 'response')
const shown = (dlp: string, value: unknown) => response(dlp, value).value

describe('what is built in', () => {
  test('is looked for when it is named, by itself or as a group', () => {
    const text = `${TOKEN} ${CARD} ada@example.org`
    assert.equal(shown('{}', text), text)
    assert.equal(shown('{builtin: [secrets]}', text), `[REDACTED:github_token] ${CARD} ada@example.org`)
    assert.equal(shown('{builtin: [email]}', text), `${TOKEN} ${CARD} [REDACTED:email]`)
    assert.equal(shown('{builtin: [secrets, personal]}', text), '[REDACTED:github_token] [REDACTED:credit_card] [REDACTED:email]')
  })

  test('what is named by itself replaces what its group said', () => {
    const dlp = '{builtin: [personal, {name: email, action: warn}]}'
    assert.equal(shown(dlp, `${CARD} a@example.org`), '[REDACTED:credit_card] a@example.org')
  })

  test('a name that there is not is refused', () => assert.throws(() => policyOf('dlp: {builtin: [nonsense]}'), { code: 'POLICY_INVALID' }))
})

describe('actions', () => {
  test('warn reports and leaves, mask masks, block blocks; the strictest counts for the whole', () => {
    const dlp = (action: string) => `{builtin: [{name: github_token, action: ${action}}, email]}`
    const text = `${TOKEN} a@example.org`
    assert.partialDeepStrictEqual(response(dlp('warn'), text), {
      value: `${TOKEN} [REDACTED:email]`,
      blocked: false,
      matches: [
        { pattern: 'github_token', dlpAction: 'warn', redacted: false, matchCount: 1 },
        { pattern: 'email', dlpAction: 'mask', redacted: true },
      ],
    })
    assert.equal(response(dlp('mask'), text).value, '[REDACTED:github_token] [REDACTED:email]')
    assert.partialDeepStrictEqual(response(dlp('block'), text), {
      blocked: true,
      matches: [{ dlpAction: 'block', redacted: false }, { redacted: false }],
    })
    assert.equal(response(dlp('block'), 'a@example.org').blocked, false)
  })

  test('an action holds in both directions, and instead of on_request_match', () => {
    const gate = gateOf('dlp: {scan_requests: true, on_request_match: block, builtin: [{name: email, action: mask}]}')
    assert.partialDeepStrictEqual(gate.inspect('a@example.org', 'request'), { value: '[REDACTED:email]', blocked: false })
  })

  test('a rule for one direction is silent in the other', () => {
    const gate = gateOf('dlp: {scan_requests: true, builtin: [{name: email, scope: response}]}')
    assert.deepEqual(gate.inspect('a@example.org', 'request').matches, [])
    assert.equal(gate.inspect('a@example.org', 'response').value, '[REDACTED:email]')
  })
})

describe('masks', () => {
  test('partial leaves the last four characters of what has at least twelve', () => {
    assert.equal(shown('{mask: partial, builtin: [credit_card]}', CARD), '[REDACTED:credit_card:***1111]')
    assert.equal(shown('{builtin: [{name: ssn, mask: partial}]}', '123-45-6789'), '[REDACTED:ssn]')
  })

  test('hash is the same for the same value under one key, and under another key it is not', () => {
    const policy = policyOf('dlp: {mask: hash, builtin: [ssn]}')
    const look = (key: number, text: string) =>
      createGate({ policy, platform: emptyDisk, maskKey: new Uint8Array(32).fill(key) }).inspect(text, 'response').value
    assert.match(String(look(1, '123-45-6789')), /^\[REDACTED:ssn:[0-9a-f]{16}\]$/)
    assert.equal(look(1, '123-45-6789'), look(1, '123-45-6789'))
    assert.notEqual(look(1, '123-45-6789'), look(2, '123-45-6789'))
    assert.notEqual(look(1, '123-45-6789'), look(1, '123-45-6788'))
  })

  test('a marker that shows something is not masked again by a pattern that finds it', () => {
    assert.equal(shown('{mask: partial, patterns: [{name: n, regex: "[0-9]{4}( [0-9]{4})*"}]}', `a ${CARD} b`), 'a [REDACTED:n:***1111] b')
  })

  test('PW10: what overlaps becomes one marker, of which no end is left', () => {
    const dlp = '{patterns: [{name: a, regex: "abcd"}, {name: b, regex: "cdef"}, {name: c, regex: "efgh", mask: partial}]}'
    assert.partialDeepStrictEqual(response(dlp, 'xabcdefghx'), {
      value: 'x[REDACTED:a]x',
      matches: [
        { pattern: 'a', matchCount: 1 },
        { pattern: 'b', matchCount: 1 },
        { pattern: 'c', matchCount: 1 },
      ],
    })
  })

  test('nothing of what any two patterns find is left', () => {
    const gate = gateOf('dlp: {patterns: [{name: p, regex: "ab+c"}, {name: q, regex: "b+cd+"}]}')
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 30 }), (text) => {
        const covered = Array.from(text, () => false)
        for (const pattern of [/ab+c/g, /b+cd+/g])
          for (const { index, 0: match } of text.matchAll(pattern)) covered.fill(true, index, index + match.length)
        const left = Array.from(text)
          .filter((_, at) => !covered[at])
          .join('')
        const masked = String(gate.inspect(text, 'response').value).replaceAll(/\[REDACTED:[pq]\]/g, '')
        assert.ok(masked.length <= left.length, `${text} -> ${masked}`)
      }),
      runs,
    )
  })
})

test('what the allow-list matches whole is no finding, inside an encoding neither', () => {
  const dlp = '{detect_encoding: true, allow: ["[a-z]+@example\\\\.org"], builtin: [email]}'
  assert.equal(shown(dlp, 'ada@example.org bob@example.com'), 'ada@example.org [REDACTED:email]')
  const encoded = Buffer.from('to: ada@example.org').toString('base64')
  assert.deepEqual(response(dlp, encoded), { value: encoded, matches: [], blocked: false })
})

describe('encodings', () => {
  const dlp = '{detect_encoding: true, builtin: [secrets]}'
  const encodings: [string, (text: string) => string][] = [
    ['hex', (text) => Buffer.from(text).toString('hex')],
    ['base64', (text) => Buffer.from(text).toString('base64')],
    ['base64url', (text) => Buffer.from(text).toString('base64url')],
    ['percent', (text) => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
  ]
  for (const [name, encode] of encodings) {
    test(`${name} is opened, and ${name} within any other`, () => {
      assert.equal(shown(dlp, `a ${encode(TOKEN)} b`), 'a [REDACTED:github_token:encoded] b')
      for (const [outer, wrap] of encodings) {
        const { value, matches } = response(dlp, `a ${wrap(encode(TOKEN))} b`)
        assert.equal(value, 'a [REDACTED:github_token:encoded] b', outer)
        assert.equal(matches[0]?.pattern, 'github_token (encoded)')
      }
    })
  }

  test('without detect_encoding they pass', () => {
    const text = Buffer.from(TOKEN).toString('base64')
    assert.equal(shown('{builtin: [secrets]}', text), text)
  })
})

describe('time', () => {
  const policy = (failure: string) =>
    policyOf(`dlp: {max_scan_ms: 100, on_redaction_failure: ${failure}, builtin: [secrets], patterns: [{name: X, regex: xx}]}`)
  const slow = (failure: string) => {
    let time = 0
    return createGate({ policy: policy(failure), platform: emptyDisk, now: () => (time += 60) }).inspect([TOKEN, 'xxx', 'x'], 'response')
  }

  test('a message that takes longer than it may is treated by the policy, never passed by accident', () => {
    for (const failure of ['block', 'reject'])
      assert.partialDeepStrictEqual(slow(failure), { blocked: true, matches: [{ pattern: SCAN_FAILED, dlpAction: 'block' }] })
    assert.partialDeepStrictEqual(slow('allow_original'), { blocked: false, matches: [{ pattern: SCAN_FAILED, dlpAction: 'warn' }] })
  })

  test('PW10: a pattern that makes a backtracking engine explode is searched to its end, and finds what it is about', () => {
    const gate = createGate({
      policy: policyOf('dlp: {patterns: [{name: X, regex: "^(a+)+$"}, {name: Y, regex: "(b|bb)+c"}]}'),
      platform: emptyDisk,
    })
    const text = `${'a'.repeat(20_000)}!`
    assert.deepEqual(gate.inspect(text, 'response'), { value: text, matches: [], blocked: false })
    assert.equal(gate.inspect('a'.repeat(20_000), 'response').value, '[REDACTED:X]')
    assert.equal(gate.inspect(`${'b'.repeat(20_000)}c`, 'response').value, '[REDACTED:Y]')
  })

  test('more than 1500 ms cannot be allowed', () => assert.throws(() => policyOf('dlp: {max_scan_ms: 2000}'), { code: 'POLICY_INVALID' }))
})
