/** The prefilter may only ever say "no" where the patterns find nothing. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { createShaper } from '../src/event/shape.ts'
import { createLiteralScan } from '../src/redact/literals.ts'
import { createSeparatorLook } from '../src/redact/near.ts'
import { PATTERNS } from '../src/redact/patterns.ts'
import { createRedactor } from '../src/redact/redactor.ts'
import { createScanner } from '../src/redact/scanner.ts'
import { MAC_KEY, printed, STAMP } from './support/events.ts'

const SEED = { seed: 20261121, numRuns: count({ fast: 300, ci: 2000 }) }
const USUAL = PATTERNS.filter(({ usual }) => usual !== false)

/** Strings that the pattern's own expression matches, or nearly. */
const secretLike: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...USUAL).chain(({ expression }) => {
    const plain = expression.source.replaceAll(/\(\?<?[!=](?:\[[^\]]*\]|\([^)]*\)|[^)[])*\)/g, '').replaceAll('(?<secret>', '(')
    return fc.stringMatching(new RegExp(`^(?:${plain})$`)).filter((text) => text.length < 500)
  }),
  fc.constantFrom('4111111111111111', '4111 1111 1111 1111', '3782-822463-10005', '123-45-6789', `npm_${'a1B2'.repeat(9)}`),
)
const around = fc.constantFrom('', ' ', '\n', '"', '\\', '\t', '\u0001', '\u001f', '\u000f', 'é', '😀', '漢', 'x', '7', '-', '_', '{', ',')
const long = fc.constantFrom('', 'a'.repeat(65_530), ' '.repeat(65_525), '1 '.repeat(32_763))

test('what the patterns find in a string, the prefilter finds in its JSON text, whatever stands around it', () => {
  const scanner = createScanner([])
  let found = 0
  fc.assert(
    fc.property(around, secretLike, around, around, (before, secret, after, more) => {
      const text = `${more}${before}${secret}${after}`
      const matches = USUAL.some(({ expression, check }) =>
        [...text.matchAll(expression)].some(({ 0: match, groups }) => !check || check(groups?.secret ?? match)),
      )
      if (!matches) return
      found++
      assert.ok(scanner.mayMatch(JSON.stringify({ a: text })), JSON.stringify(text))
      assert.ok(scanner.mayMatch(text), JSON.stringify(text))
      assert.ok(scanner.find(text).length > 0, JSON.stringify(text))
    }),
    SEED,
  )
  assert.ok(found > SEED.numRuns / 2, `${found} of the texts held a secret`)
})

test('a secret is found wherever it lies across the stretches in which long text is read', () => {
  const scanner = createScanner([])
  fc.assert(
    fc.property(
      long,
      fc.string({ maxLength: 12 }),
      fc.constantFrom('4111111111111111', `ghp_${'a1B2'.repeat(9)}`),
      (filler, gap, secret) => {
        assert.ok(scanner.mayMatch(JSON.stringify([`${filler}${gap} ${secret} ${filler}`])))
      },
    ),
    { ...SEED, numRuns: 200 },
  )
})

test('every literal is found at every place of a text, in every case it allows', () => {
  const literal = fc.string({ unit: fc.constantFrom(...'abKey_-.:/ s'), minLength: 3, maxLength: 9 })
  fc.assert(
    fc.property(literal, fc.boolean(), fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (text, anyCase, before, after) => {
      const scan = createLiteralScan([{ text, anyCase, owner: 'o' }])
      assert.ok(scan(before + (anyCase ? text.toUpperCase() : text) + after, () => true))
    }),
    SEED,
  )
})

test('a literal of a secret in prose is no reason to walk an event', () => {
  const scanner = createScanner([])
  const prose = 'AKIA keys, ghp_ tokens, sk-learn, eyJ begins a JWT, npm_config, AIza, xoxb- and -----BEGIN a story, https://a.example/x@y'
  assert.equal(
    scanner.mayMatch(JSON.stringify({ prose, trace_id: '0af7651916cd43dd8448eb211c80319c', at: '2026-11-21T14:00:00.000Z' })),
    false,
  )
})

test('the quick way and the careful way record the same bytes', () => {
  const member = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double(), fc.constant(null), fc.boolean())
  const value = fc.oneof(member, fc.array(member, { maxLength: 4 }), fc.dictionary(fc.string(), member, { maxKeys: 4 }))
  const long = fc.oneof(value, fc.string({ unit: 'binary', minLength: 20, maxLength: 60 }), fc.array(value, { minLength: 5, maxLength: 9 }))
  const described = {
    result: long,
    result_bytes: fc.nat(),
    result_hash: fc.constant('sha256:of-the-caller'),
    result_truncated: fc.boolean(),
  }
  const event = fc.record({ arguments: value, ...described, other: value, metadata: value }, { requiredKeys: [] })
  fc.assert(
    fc.property(event, fc.constantFrom(1000, 30, 1), (members, resultChars) => {
      const nothing = { path: 'arguments.no.such.member', action: 'mask' as const } // a rule for a path: every event is walked
      const event = { event_type: 'x', ...members }
      const quick = printed(event, { resultChars })
      assert.equal(quick, printed(event, { resultChars, paths: [nothing] }))
      for (const redactor of [createRedactor({ resultChars }, MAC_KEY), createRedactor({ resultChars, paths: [nothing] }, MAC_KEY)])
        assert.equal(redactor.redact(createShaper(redactor.textResults)(event, [], STAMP)), quick, 'described before it was printed')
    }),
    SEED,
  )
})

test('what a look for a separator remembers changes no answer', () => {
  const piece = fc.constantFrom('password', ' ', ':', '=', '"', ',', '}', ']', '\\', '\\"', 'x'.repeat(300))
  const text = fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(), { maxLength: 20 }), (texts, places) => {
      const isSeparated = createSeparatorLook()
      for (const [n, place] of places.entries()) {
        const text = texts[n % texts.length]!
        const from = place % (text.length + 1)
        if (text[from - 1] !== '\\') assert.equal(isSeparated(text, from), createSeparatorLook()(text, from), `${text} from ${from}`)
      }
    }),
    SEED,
  )
})
