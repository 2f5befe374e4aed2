/** Redaction: what is found, what is left alone, and that it ends. Checklist GW12. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { count, later } from '../../../testkit/src/suite.ts'
import { shapeEvent } from '../src/event/shape.ts'
import { keyedHash } from '../src/redact/keyed-hash.ts'
import { maskText } from '../src/redact/mask.ts'
import { PATTERNS } from '../src/redact/patterns.ts'
import { createRedactor } from '../src/redact/redactor.ts'
import { createScanner } from '../src/redact/scanner.ts'
import { createUserScanner } from '../src/redact/user-scanner.ts'
import { createKeyRules, DEFAULT_KEYS } from '../src/redact/words.ts'
import { printed, recorded, STAMP } from './support/events.ts'

const SEED = { seed: 20261121, numRuns: 300 }
const args = (value: unknown, options = {}) => recorded({ event_type: 'x', arguments: value }, options).arguments

const secrets: [string, string][] = [
  ['aws_access_key', 'AKIAIOSFODNN7EXAMPLE'.replace('0', '2')],
  ['github_token', `ghp_${'a1B2'.repeat(9)}`],
  ['github_token', `github_pat_${'11ABCDEFG0_'.repeat(4)}`],
  ['anthropic_key', `sk-ant-api03-${'aB3-'.repeat(20)}`],
  ['openai_key', `sk-proj-${'aB3_'.repeat(20)}`],
  ['openai_key', `sk-${'a1B2'.repeat(12)}`],
  ['jwt', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'],
  ['private_key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----'],
  ['private_key', '-----BEGIN PRIVATE KEY-----\nMIIEow, cut off'],
  ['slack_token', 'xoxb-123456789012-abcdefABCDEF'],
  ['stripe_key', `sk_live_${'a1B2'.repeat(6)}`],
  ['npm_token', `npm_${'a1B2'.repeat(9)}`],
  ['sendgrid_key', `SG.${'a'.repeat(22)}.${'b'.repeat(43)}`],
  ['google_api_key', `AIza${'aB3_x'.repeat(7)}`],
  ['gitlab_token', `glpat-${'aB3_x'.repeat(4)}`],
  ['credit_card', '4111 1111 1111 1111'],
  ['credit_card', '4111111111111111'],
  ['ssn', '123-45-6789'],
]
for (const [name, secret] of secrets) {
  test(`masks ${name} (${secret.slice(0, 12)}…) in arguments, results, errors, reasons and text`, () => {
    const event = recorded({
      event_type: 'x',
      arguments: [[secret]],
      result: { text: `a ${secret}` },
      error: secret,
      reason: `no ${secret}`,
    })
    assert.deepEqual(event.arguments, [[`[REDACTED:${name}]`]])
    assert.ok(!JSON.stringify(event).includes(secret), JSON.stringify(event))
  })
}

test('digits inside a hexadecimal id are no credit card, and an escaped line feed does not hide one', () => {
  const event = recorded({ event_type: 'x', arguments: ['c54111111111111111c', 'id_4111111111111111', '\\n4111111111111111'] })
  assert.deepEqual(event.arguments, ['c54111111111111111c', 'id_4111111111111111', '\\n[REDACTED:credit_card]'])
})

const partly: [string, string][] = [
  ['postgres://bob:hunter2@db:5432/x', 'postgres://bob:[REDACTED:database_url]@db:5432/x'],
  ['https://hooks.slack.com/services/T000/B000/XXXX', 'https://hooks.slack.com/[REDACTED:slack_webhook]'],
  ['x Bearer abcdefghijklmnop1234 y', 'x Bearer [REDACTED:bearer] y'],
  ["login password='hunter2' ok", "login password='[REDACTED:password]' ok"],
  ['DB_PASSWORD=hunter2;x=1', 'DB_PASSWORD=[REDACTED:password];x=1'],
  ['{\\"apiKey\\":\\"k1\\"}', '{\\"apiKey\\":\\"[REDACTED:api_key]\\"}'],
  ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: [REDACTED:authorization]'],
  ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = [REDACTED:aws_secret_key]'],
]
for (const [text, masked] of partly) {
  test(`masks the secret alone in ${text.slice(0, 20)}…`, () => assert.equal(args(text), masked))
}

test('a key rule matches a run of whole words, in every spelling', () => {
  const rules = createKeyRules(DEFAULT_KEYS)
  for (const name of [
    'password',
    'Password',
    'userPassword',
    'API-Key',
    'apikey',
    'apiKey',
    'stripe_api_key',
    'X-API-Key',
    'Authorization',
    'pwd',
    'Set-Cookie',
    'creditCard',
    'private_key_pem',
    'authToken',
    'password2',
    'authorization_header',
  ])
    assert.ok(rules(name), name)
  for (const name of [
    'max_tokens',
    'tokenizer',
    'secretary',
    'token_id',
    'tokenCount',
    'token_limit',
    'token_type',
    'tokenUsage',
    'token_expiry',
    'keyboard',
    'passwordless',
    'author',
    'authorization_decision',
  ])
    assert.equal(rules(name), undefined, name)
})

test('what the prefilter passes by, the walk would not have masked either', () => {
  const words = [
    'password',
    'Token',
    'api',
    'Key',
    'apikey',
    'secret',
    '_',
    '-',
    'max',
    's',
    'x',
    '1',
    'SSN',
    'pwd',
    'private',
    'credit.card',
    ' ',
    '.'.repeat(600),
  ]
  const name = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''))
  const rules = createKeyRules(DEFAULT_KEYS)
  const scanner = createScanner([...DEFAULT_KEYS])
  fc.assert(
    fc.property(name, (key) => {
      if (rules(key) !== undefined) assert.ok(scanner.mayMatch(JSON.stringify({ a: { [key]: 'v' } })), key)
    }),
    { ...SEED, numRuns: count({ fast: 300, ci: 2000 }) },
  )
  for (const [name, secret] of secrets) assert.ok(createScanner([], { patterns: [name] }).mayMatch(JSON.stringify({ a: secret })), name)
})

test('lists of lists, JSON inside text, numbers and keys are reached; known members are left alone', () => {
  assert.deepEqual(args([[{ token: ['a', 1, null, true] }]]), [[{ token: ['[REDACTED:token]', '[REDACTED:token]', null, true] }]])
  assert.equal(args('{"n":1,"db":{"password":"x"}}'), '{"n":1,"db":{"password":"[REDACTED:password]"}}')
  assert.deepEqual(args({ [`ghp_${'a'.repeat(36)}`]: 1 }), { '[REDACTED:github_token]': 1 })
  const event = recorded({ event_type: 'x', token_id: 't-1', tool: 'password_reset', password: 'p', metadata: { secret: 's' } })
  assert.deepEqual([event.token_id, event.tool, event.password], ['t-1', 'password_reset', '[REDACTED:password]'])
  assert.deepEqual(event.metadata, { secret: '[REDACTED:secret]' })
})

test('base64 and URL encoding are looked into when asked', () => {
  const secret = `ghp_${'a1B2'.repeat(9)}`
  const inside = {
    b: Buffer.from(`key ${secret}`).toString('base64'),
    u: `q=${[...secret].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')}`,
  }
  assert.deepEqual(args(inside, { detectEncoding: true }), { b: '[REDACTED:github_token]', u: '[REDACTED:github_token]' })

  test('an encoding within an encoding is opened, one deep', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    const encodings: ((text: string) => string)[] = [
      (text) => Buffer.from(text).toString('hex'),
      (text) => Buffer.from(text).toString('base64'),
      (text) => Buffer.from(text).toString('base64url'),
      (text) => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    ]
    for (const outer of encodings)
      for (const inner of encodings) assert.equal(args(outer(inner(token)), { detectEncoding: true }), '[REDACTED:github_token]')
  })
  assert.deepEqual(args(inside), inside)
})

test('paths are masked, dropped or hashed', () => {
  const options = {
    paths: [
      { path: 'arguments.a', action: 'mask' as const },
      { path: 'arguments.*.b', action: 'drop' as const },
      { path: 'user', action: 'hash' as const },
      { path: 'arguments.h', action: 'hash' as const },
    ],
  }
  const event = { event_type: 'x', arguments: { a: { deep: 'x' }, c: { b: [1] }, h: 'value' } }
  const out = recorded(event, options).arguments as { h: string }
  assert.deepEqual({ ...out, h: out.h.slice(0, 12) }, { a: { deep: '[REDACTED:path]' }, c: { b: '[REDACTED:drop]' }, h: 'hmac-sha256:' })
})

test('keyed hashes are of the unredacted value and differ by key; without a key the event says so', () => {
  const event = { event_type: 'x', arguments: { password: 'hunter2' } }
  assert.equal(recorded(event).arguments_hash, keyedHash(new Uint8Array(32).fill(7), { password: 'hunter2' }))
  assert.notEqual(recorded(event).arguments_hash, recorded(event, {}, new Uint8Array(32)).arguments_hash)
  const bare = JSON.parse(createRedactor().redact(shapeEvent(event, [], STAMP)))
  assert.deepEqual([bare.arguments_hash, bare.metadata], [undefined, { hash_omitted: true }])
  assert.equal(recorded({ event_type: 'x', arguments: { n: 1 } }).arguments_hash, undefined)
})

test('a result keeps its first 1,000 characters, its size and its hash', () => {
  const event = recorded({ event_type: 'tool_call_end', result: 'é'.repeat(3000) })
  assert.deepEqual([String(event.result).length, event.result_bytes, event.result_truncated], [1000, 6000, true])
  const short = recorded({ event_type: 'tool_call_end', result: { a: 1 } })
  assert.deepEqual([short.result, short.result_bytes, short.result_truncated], [{ a: 1 }, 7, undefined])
  assert.match(String(short.result_hash), /^hmac-sha256:[0-9a-f]{64}$/)
  const secret = recorded({ event_type: 'tool_call_end', result: `${'x'.repeat(990)} sk-ant-${'a'.repeat(60)}` })
  assert.ok(!String(secret.result).includes('sk-ant-'))
})

test('an event that is too long is cut to its line, says so, and keeps what it is found by', () => {
  const events = [
    { event_type: 'x', user: 'u', arguments: { text: 'é'.repeat(200_000) } },
    { event_type: 'x', user: 'u', arguments: Array.from({ length: 40_000 }, (_, i) => i) },
    { event_type: 'x', user: 'u', ...Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, 'x'.repeat(50)])) },
    { event_type: 'x', user: 'u', reason: '\u0001'.repeat(100_000), target: 'x'.repeat(100_000) },
  ]
  for (const event of events) {
    const text = printed(event)
    assert.ok(Buffer.byteLength(text) <= 65_536 - 640)
    const { user, metadata } = JSON.parse(text)
    assert.equal(user, 'u')
    assert.ok(metadata.truncated.length > 0)
  }
})

test('user patterns run on RE2 and their errors name the pattern', () => {
  const scanner = createUserScanner([{ name: 'badge', pattern: 'B-[0-9]{4}' }])
  assert.equal(maskText('see B-1234 and B-9', [scanner]), 'see [REDACTED:badge] and B-9')
  assert.throws(
    () => createUserScanner([{ name: 'bad', pattern: '(a' }]),
    (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at.endsWith('bad'),
  )
  assert.throws(
    () => createUserScanner([{ name: 'look', pattern: '(?=a)' }]),
    (e) => SwornError.is(e, 'CONFIG_INVALID'),
  )
  assert.throws(
    () => createScanner([], { patterns: ['nonsense'] }),
    (e) => SwornError.is(e, 'CONFIG_INVALID'),
  )
})

test('overlapping matches give one clean marker', () => {
  const scanner = createUserScanner([
    { name: 'a', pattern: 'abc' },
    { name: 'b', pattern: 'bcd' },
  ])
  assert.equal(maskText('xabcdx', [scanner]), 'x[REDACTED:a]x')
})

const fragments = fc.array(
  fc.oneof(
    fc.constantFrom(...secrets.map(([, s]) => s), ...partly.map(([t]) => t), 'password=', '[REDACTED:jwt]', '"', "'", ':', '{', '}', '\\'),
    fc.string(),
  ),
  { maxLength: 8 },
)

test('redaction is idempotent and keeps the shape', () => {
  const leaf = fragments.map((parts) => parts.join(''))
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('password', 'a', 'apiKey', 'max_tokens', 'b'), tie('node'), { maxKeys: 3 }),
    ),
  })).node
  const shapeOf = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shapeOf)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shapeOf(v)]))
        : 'leaf'
  fc.assert(
    fc.property(tree, fc.boolean(), (value, detectEncoding) => {
      const once = recorded({ event_type: 'x', arguments: value }, { detectEncoding })
      assert.deepEqual(shapeOf(once.arguments), value === null ? shapeOf(once.arguments) : shapeOf(value))
      assert.deepEqual(recorded(once, { detectEncoding }), once)
    }),
    SEED,
  )
})

test('one megabyte of hostile text is scanned to its end for every pattern', { skip: later, timeout: 300_000 }, () => {
  const seeds = [
    'eyJ',
    'eyJa.',
    'sk-ant-',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    'a://a:',
    '://',
    'password=',
    "password='",
    'a=',
    'a=b',
    '"token":',
    'Bearer ',
    'AKIA',
    'SG.',
    'SG.a.',
    'aws_secret',
    'aws',
    '4111 ',
    '1',
    '1-',
    '123-45-',
    'a@',
    'a.',
    '1.',
    '[REDACTED:',
    '\\"',
    'xoxb-',
    'api_',
    ' ',
  ]
  const every = createScanner([...DEFAULT_KEYS], { patterns: PATTERNS.map(({ name }) => name) })
  for (const seed of seeds) {
    const text = seed.repeat(Math.ceil(1_048_576 / seed.length)).slice(0, 1_048_576)
    const outside = every.find(text).filter(({ start, end }) => !(start >= 0 && start < end && end <= text.length))
    assert.deepEqual(outside, [], seed)
  }
})
