/** The scanner: what it finds, what it takes for nothing, and that its prefilter never passes over a finding. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRedactor, createScanner, maskText, shapeEvent } from '@sworn/recorder'
import fc from 'fast-check'
import { readCorpus } from '../../../testkit/src/dlp-corpus.ts'
import manifest from '../package.json' with { type: 'json' }
import { DLP_GROUPS, detectorsOf, dlpScanner } from '../src/dlp/scanner.ts'
import { FAMILY_RULES } from '../src/dlp/table/families.ts'
import { personalDetectors } from '../src/dlp/table/personal.ts'
import { PRESET_VERSION, runRule } from '../src/dlp/table/secretlint.ts'
import { runs } from './support/make.ts'

const scanner = dlpScanner.create([])
const everything = createScanner([], { patterns: [], detectors: [...DLP_GROUPS.secrets, ...DLP_GROUPS.personal].flatMap(detectorsOf) })
const corpus = readCorpus()

const WORD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** How tokens begin, and what they go on with. */
const PREFIXES: readonly (readonly [prefix: string, unit: string])[] = [
  ...['shpat_', 'sk_live_', 'rk_test_', 'vcp_', 'vck_', 'cfk_', 'gsk_'].map((prefix) => [prefix, WORD] as const),
  ...['ghp_', 'npm_', 'lin_api_', 'github_pat_'].map((prefix) => [prefix, `${WORD}_`] as const),
  ...['glpat-', 'hvs.', 'hvb.', 'figd_', 'dckr_pat_', 'tskey-auth-', 'sk-ant-api03-', 'xoxb-', 'xapp-1-'].map(
    (prefix) => [prefix, `${WORD}--`] as const,
  ),
  ...['AKIA', 'A3TX', 'ASIA'].map((prefix) => [prefix, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 '] as const),
  ...['postgres://', 'MYSQL://', 'mongodb+srv://', 'https://', 'ftp://', 'jdbc:mysqlx://'].map(
    (prefix) => [prefix, `${WORD}:@'"%.`] as const,
  ),
  ...['ghs_1_', 'SG.', 'ntn_12345678901', 'hf_', 'dapi'].map((prefix) => [prefix, `${WORD}..`] as const),
  ['dapi', '0123456789abcdefABCDEF'],
  ['hf_', 'abcdefghijklmnopqrstuvwxyz'],
  ['glc_', `${WORD}+/`],
  ['aws_secret_access_key = ', `${WORD}/+`],
  ['SecretAccessKey=>"', `${WORD}/+`],
]

describe('the labelled corpus', () => {
  test('has at least 400 lines, and both kinds', () => {
    assert.ok(corpus.length >= 400, `${corpus.length} lines`)
    assert.ok(corpus.filter(({ secrets }) => secrets.length > 0).length >= 150)
    assert.ok(corpus.filter(({ secrets }) => secrets.length === 0).length >= 150)
  })

  test('every pattern that there is has a line', () => {
    const labelled = new Set(corpus.flatMap(({ secrets }) => secrets.map(({ pattern }) => pattern)))
    assert.deepEqual(
      [...DLP_GROUPS.secrets, ...DLP_GROUPS.personal].filter((name) => !labelled.has(name)),
      [],
    )
  })

  test('no labelled secret is left in what masking makes of it', () => {
    for (const { text, secrets } of corpus) {
      const masked = maskText(text, [everything])
      for (const { value } of secrets) assert.ok(!masked.includes(value), `${text} -> ${masked}`)
    }
  })

  test('a line without a secret comes through as it is', () => {
    const changed = corpus.filter(({ text, secrets }) => secrets.length === 0 && maskText(text, [everything]) !== text)
    assert.deepEqual(
      changed.map(({ text }) => text),
      [],
    )
  })

  test('the prefilter passes over nothing that is found, in text or in JSON text', () => {
    for (const { text } of corpus) {
      if (everything.find(text).length === 0) continue
      assert.ok(everything.mayMatch(text), text)
      assert.ok(everything.mayMatch(JSON.stringify({ a: text })), text)
    }
  })

  test("the prefilter passes over nothing that secretlint's own rules find", () => {
    let found = 0
    for (const { text } of corpus) {
      for (const rule of FAMILY_RULES) {
        const finds = runRule(rule, text).length
        if (finds === 0) continue
        found++
        assert.ok(scanner.mayMatch(text), `${rule}: ${text}`)
      }
    }
    assert.ok(found >= 60, `${found} findings`)
  })
})

test("whatever secretlint's rules find in tokens made at random, the prefilter does not pass over", () => {
  const lengths = fc.constantFrom(...[12, 16, 20, 24, 32, 34, 35, 36, 40, 48, 52, 82, 95, 140]) // those that the formats ask for, mostly
  const tokens = fc.tuple(fc.constantFrom(...PREFIXES), lengths).chain(([[prefix, unit], length]) => {
    const body = fc.string({ unit: fc.constantFrom(...unit), minLength: length, maxLength: length })
    return fc.tuple(fc.constant(prefix), body)
  })
  const around = fc.constantFrom('', ' ', '"', '\n', '\\', '\u0001', 'é', '=', ':', '-', '1', '😀', '/')
  let found = 0
  fc.assert(
    fc.property(around, tokens, around, (before, [prefix, body], after) => {
      const text = before + prefix + body + after
      const rule = FAMILY_RULES.find((name) => runRule(name, text).length > 0)
      if (rule === undefined) return
      found++
      assert.ok(scanner.mayMatch(text), `${rule}: ${text}`)
      assert.ok(scanner.mayMatch(JSON.stringify({ a: text })), `${rule}: ${text}`)
    }),
    { ...runs, numRuns: runs.numRuns * 10 },
  )
  assert.ok(found > runs.numRuns, `${found} texts held something`)
})

test('an escape before a token hides nothing, and what an escape itself could hold is still found', () => {
  const key = `ghp_${'a1B2'.repeat(9)}`
  const before = ['\\n', '\\t', '\\u0022', '\\x1b[1;31m', '\u001b[32m', '\u001b[0;1;4m', '%3D', '=3D', '__', '**', '\\\\n']
  for (const edge of before) assert.ok(!maskText(`a ${edge}${key}${edge}`, [scanner]).includes(key), edge)
  assert.equal(maskText('amqps://svc:%40FAKE%3Dpass@host/v', [scanner]), 'amqps://svc:[REDACTED:database_url]@host/v')
  const hits = scanner.find(`\\n${key} and ${key}`)
  assert.equal(new Set(hits.map(({ start }) => start)).size, 2)
})

describe('what others get wrong', () => {
  const key = `gsk_${'a1B2'.repeat(13)}`

  test('text that says secretlint-disable is scanned like any other', () => {
    for (const text of [`# secretlint-disable\n${key}`, `<!-- secretlint-disable -->${key}`, `${key} // secretlint-disable-line`])
      assert.ok(!maskText(text, [scanner]).includes(key), text)
  })

  test('PW9: a git commit, an address, a name and a telephone number are no secrets', () => {
    const texts = [
      `secret_access_key=${'3f78'.repeat(10)}`,
      'git checkout 3f786850e387550fdab836ed7e6dc881de23001b',
      'curl 10.0.0.1',
      'mail ada@example.org',
      'call 5551234567',
    ]
    for (const text of texts) assert.deepEqual(scanner.find(text), [])
    assert.deepEqual(
      scanner.find(`aws_secret_access_key=${'3f78'.repeat(10)}`.slice(0, 62)).filter(({ pattern }) => pattern === 'card'),
      [],
    )
  })

  test('PW9: project keys, fine-grained tokens and hooks are found; a card number must pass its check', () => {
    const keys = [
      `sk-proj-${'aB3_'.repeat(12)}`,
      `github_pat_${'11ABCDEFG0_'.repeat(4)}`,
      'https://hooks.slack.com/services/T0FAKE/B0FAKE/FAKEfake',
    ]
    for (const text of keys) assert.notEqual(maskText(text, [scanner]), text)
    assert.notEqual(maskText('4111 1111 1111 1111', [scanner]), '4111 1111 1111 1111')
    assert.equal(maskText('4111 1111 1111 1112', [scanner]), '4111 1111 1111 1112')
  })

  test('PW10: what overlaps becomes one marker, and nothing of it is left', () => {
    const text = `https://user:ghp_${'a1B2'.repeat(9)}@example.com/`
    assert.match(maskText(text, [scanner]), /^https:\/\/user:\[REDACTED:\w+\]@example\.com\/$/)
  })

  test("an AWS secret is masked where it stands: secretlint's own range lies before it", () => {
    const text = 'aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYFAKEFAKEKE"'
    assert.equal(maskText(text, [scanner]), 'aws_secret_access_key = "[REDACTED:aws_secret_key]"')
  })

  test("a token before x-oauth-basic is masked: secretlint's own range lies before it", () => {
    assert.equal(maskText('https://FAKEtoken1234:x-oauth-basic@github.com/', [scanner]), 'https://[REDACTED:github_oauth_url]@github.com/')
  })
})

test('no text takes the scanner more than a moment a megabyte, whatever repeats in it', () => {
  const seeds = [
    'sk-',
    'ghs_1_a.',
    'AKIA',
    'secret_access_key=',
    '://a:',
    'mysql://a:',
    '-----BEGIN PRIVATE KEY-----',
    'hvs.',
    'AA00',
    'AA00 AAAA ',
    '+1 ',
  ]
  const escaped = ['$6$a$', '$2b$12$', '\u001b[', '__a', 'a_', '%3', '\\u00', 'Basic ', 'EAA', 'AKCp', 'Private-Lines: 1\\n', '8Q~', '1//0']
  for (const seed of [...seeds, ...escaped, '::', ':a', 'a@', '1.', 'eyJ', 'dp.pt.', 'hooks.slack.com/services/T/', 'xoxb-1-', 'SG.a.']) {
    const text = seed.repeat(Math.ceil(1_048_576 / seed.length)).slice(0, 1_048_576)
    const outside = everything.find(text).filter(({ start, end }) => !(start >= 0 && start < end && end <= text.length))
    assert.deepEqual(outside, [], seed)
  }
})

test('personal data is looked for only by name, cards and social security numbers always', () => {
  const names = new Set(corpus.flatMap(({ text }) => scanner.find(text).map(({ pattern }) => pattern)))
  assert.deepEqual(
    personalDetectors.map(({ name }) => name).filter((name) => names.has(name)),
    ['ssn', 'credit_card'],
  )
})

test('the scanner has a name, the version of its rules and a hash of its patterns', () => {
  assert.equal(manifest.dependencies['@secretlint/secretlint-rule-preset-recommend'], PRESET_VERSION)
  assert.match(dlpScanner.version, new RegExp(PRESET_VERSION))
  assert.match(dlpScanner.hash, /^sha256:[0-9a-f]{64}$/)
})

test('a recorder with this scanner records none of the secrets of the corpus', () => {
  const redactor = createRedactor({ scanner: dlpScanner })
  for (const { text, secrets } of corpus) {
    const printed = redactor.redact(
      shapeEvent({ event_type: 'x', arguments: { text } }, [], { timestamp: '2026-11-21T14:00:00.000Z', eventId: '0' }),
    )
    for (const { pattern, value } of secrets) {
      if (DLP_GROUPS.secrets.includes(pattern)) assert.ok(!printed.includes(value), text)
    }
  }
})
