import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import {
  asText,
  concat,
  equalBytes,
  GENESIS,
  isJsonObject,
  linkLine,
  parseBase64,
  parseHex,
  parseLine,
  parseStrict,
  SwornError,
  signableText,
  text,
  toBase64,
  toHex,
  utf8,
  withSignature,
} from '../src/index.ts'
import { isReservedAt } from '../src/scan.ts'
import { sharedTest } from './support/vectors.ts'

const bytes = fc.uint8Array({ maxLength: 80 })
const runs = { seed: 5, numRuns: 400 }

test('hex and base64 print as Buffer does, and parse back to the same bytes', () => {
  fc.assert(
    fc.property(bytes, (b) => {
      assert.deepEqual([toHex(b), toBase64(b)], [Buffer.from(b).toString('hex'), Buffer.from(b).toString('base64')])
      assert.ok(equalBytes(parseHex(toHex(b)), b) && equalBytes(parseBase64(toBase64(b)), b))
    }),
    runs,
  )
})

test('a text that base64 would not print is refused, so one value has one text', () => {
  const refused = ['A', 'AA', 'AA=', 'AB==', 'AAB=', 'A===', 'AAAA=', 'AA==AA==', 'AA_-', ' AAAA', 'AAAA\n', 'ÄAAA', '😀']
  for (const s of refused)
    assert.throws(
      () => parseBase64(s),
      (e) => SwornError.is(e, 'NOTE_MALFORMED'),
      s,
    )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'AB/+=9z'), maxLength: 9 }), (s) => {
      try {
        assert.equal(toBase64(parseBase64(s)), s)
      } catch (e) {
        assert.ok(SwornError.is(e, 'NOTE_MALFORMED'))
      }
    }),
    runs,
  )
  for (const s of ['0', '0G', 'AB', ' 00'])
    assert.throws(
      () => parseHex(s),
      (e) => SwornError.is(e, 'LINE_MALFORMED'),
    )
})

test('bytes are compared whole and decoded without repair', () => {
  assert.deepEqual(
    [equalBytes(utf8('ab'), utf8('ab')), equalBytes(utf8('ab'), utf8('ac')), equalBytes(utf8('a'), utf8('ab'))],
    [true, false, false],
  )
  assert.equal(text(concat(utf8('\ufeff€'), utf8('x'))), '\ufeff€x')
  assert.throws(() => text(Uint8Array.of(0xff)), TypeError)
})

test('a linked line parses back to what went in, with and without signature', () => {
  const payloads = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }).map((o) => JSON.stringify(o))
  fc.assert(
    fc.property(payloads, fc.nat(Number.MAX_SAFE_INTEGER), fc.boolean(), (payload, seq, asBytes) => {
      const { line, entryHash } = linkLine(p, 'sha256', asBytes ? utf8(payload) : payload, seq, GENESIS)
      const parsed = parseLine(line)
      assert.deepEqual([parsed.seq, parsed.previousHash, parsed.entryHash, parsed.signature], [seq, GENESIS, entryHash, undefined])
      assert.equal(`${text(parsed.body)}}`, payload)
      assert.equal(toHex(p.hash('sha256', parsed.preimage)), entryHash)
      assert.equal(JSON.parse(text(line)).seq, seq)
      const signature = new Uint8Array(64).fill(7)
      const signed = parseLine(withSignature(line, signature))
      assert.deepEqual([signed.signature, signed.preimage], [signature, parsed.preimage])
    }),
    runs,
  )
})

test('a signature that signs a record names label, origin, seq and hash', () => {
  assert.equal(signableText('o', 5, 'ab'), 'agent-audit-log/v1 record\no\n5\nab\n')
})

test('a line whose suffix has another form is refused', () => {
  const { line } = linkLine(p, 'sha256', '{"a":1}', 12, GENESIS)
  const good = text(line)
  const seqOf = (n: string): string => good.replace('"seq":12', `"seq":${n}`)
  const bad = [
    '',
    '{',
    '{}',
    `x${good.slice(1)}`,
    good.slice(0, -1),
    `${good.slice(0, -2)}x}`,
    good.replace('"}', '" }'),
    good.replace(',"seq"', ' "seq"'),
    good.replace('entry_hash', 'entry_hasH'),
    good.replace('previous_hash', 'previous_hasH'),
    good.replace(GENESIS, 'G'.repeat(64)),
    `${good.slice(0, -3)}F"}`,
    seqOf('012'),
    seqOf('/'),
    seqOf('1:'),
    seqOf('-1'),
    seqOf(''),
    seqOf('9007199254740992'),
    seqOf('99999999999999999'),
    `{${good.slice(7)}`,
    `{,${good.slice(8)}`,
    `{"seq"${good.slice(13)}`,
    `{"seq":1,"previous_hash":"${GENESIS}","entry_hash":"${GENESIS}"}`,
    `{"sex":1,"previous_hash":"${GENESIS}","entry_hash":"${GENESIS}"}`,
    good.replace('{"a"', '{\n"a"'),
    good.slice(-150),
    `{${good.slice(-110)}`,
    text(withSignature(line, new Uint8Array(64))).replace('AA=="}', 'AB=="}'),
    text(withSignature(line, new Uint8Array(64))).replace('=="}', '=="x'),
  ]
  assert.equal(parseLine(line).seq, 12)
  for (const s of bad)
    assert.throws(
      () => parseLine(utf8(s)),
      (e) => SwornError.is(e, 'LINE_MALFORMED'),
      s,
    )
})

test('whatever the bytes, a line parser returns or throws a typed error', () => {
  const { line } = linkLine(p, 'sha256', '{"a":1}', 12, GENESIS)
  const broken = fc.array(fc.tuple(fc.nat(line.length), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(broken, fc.nat(200), (edits, cut) => {
      const edited = line.slice(cut % 3 === 0 ? cut : 0)
      for (const [at, byte] of edits) edited[at % edited.length] = byte
      try {
        parseLine(edited)
      } catch (e) {
        if (!SwornError.is(e, 'LINE_MALFORMED')) throw e
      }
    }),
    { seed: 5, numRuns: 3000 },
  )
})

test('strict JSON gives what JSON.parse gives, for every text without ambiguity', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (source) => assert.deepEqual(parseStrict(source), JSON.parse(source))),
    runs,
  )
  assert.deepEqual(parseStrict(utf8('{"a":[1,{"b":"\\u0041"}],"__proto__":-1.5e3}')), JSON.parse('{"a":[1,{"b":"A"}],"__proto__":-1500}'))
  assert.deepEqual([isJsonObject({}), isJsonObject([]), isJsonObject(null), isJsonObject('x')], [true, false, false, false])
})

test('a member name that occurs twice is refused at any depth, however it is spelled', () => {
  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    '[[{"x":{"a":1,"b":[{}],"a":2}}]]',
    '{"":1,"":2}',
    '{"a\\n":1,"a\\u000a":2}',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const s of twice)
    assert.throws(
      () => parseStrict(s),
      (e) => SwornError.is(e, 'JSON_DUPLICATE_MEMBER'),
      s,
    )
  for (const s of ['{"a":"a","b":"a"}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":1}}}', '{"a":["a","a"]}', '{"a":1,"A":1}']) parseStrict(s)
})

test('what readers of JSON disagree about is refused', () => {
  const bad = [
    '',
    '{',
    '"',
    '"\\',
    '"\\x"',
    '{"a"}',
    '[1,]',
    '01',
    '1e999',
    '-',
    '1.',
    '.5',
    'nul',
    '{"a":1}}',
    ']',
    '"\ud800"',
    '"\\ud800"',
    '{"\\udc00":1}',
    '"\t"',
    '\ufeff{}',
    'NaN',
  ]
  for (const s of bad)
    assert.throws(
      () => parseStrict(s),
      (e) => SwornError.is(e, 'JSON_INVALID'),
      JSON.stringify(s),
    )
  assert.throws(
    () => parseStrict(Uint8Array.of(0x22, 0xff, 0x22)),
    (e) => SwornError.is(e, 'JSON_INVALID'),
  )
  const deep = (n: number): string => '['.repeat(n) + ']'.repeat(n)
  assert.deepEqual(JSON.stringify(parseStrict(deep(64))), deep(64))
  for (const s of [deep(65), '['.repeat(1_000_000)]) assert.throws(() => parseStrict(s), /at most 64/)
  assert.throws(() => parseStrict(deep(3), { maxDepth: 2 }), /at most 2/)
})

test('the prefilter finds its pattern wherever it stands', () => {
  const pattern = '"event_type":"log.'
  for (let before = 0; before < 60; before++) {
    const line = utf8(`${'"event_type":"lo'.repeat(4).slice(0, before)}${pattern}open`)
    assert.ok(isReservedAt(line, 0, line.length))
    assert.equal(isReservedAt(line, 0, before + pattern.length - 1), false)
    assert.equal(isReservedAt(line, before + 1, line.length), false)
  }
})

sharedTest('Ed25519 of the host passes all Wycheproof cases', 'wycheproof', async (read) => {
  const { testGroups, numberOfTests } = JSON.parse(read('ed25519_test.json').toString('utf8')) as {
    numberOfTests: number
    testGroups: { publicKey: { pk: string }; tests: { tcId: number; msg: string; sig: string; result: string }[] }[]
  }
  const from = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
  let cases = 0
  for (const { publicKey, tests } of testGroups) {
    for (const c of tests) {
      assert.equal(await p.verifyEd25519(from(publicKey.pk), from(c.msg), from(c.sig)), c.result === 'valid', `case ${c.tcId}`)
      cases += 1
    }
  }
  assert.deepEqual([cases, numberOfTests], [151, 151])
  assert.equal(p.verifyEd25519(new Uint8Array(31), new Uint8Array(0), new Uint8Array(64)), false)
})

for (const what of ['witness', 'ML-DSA-44']) {
  test(`vectors of ${what}`, { todo: 'not yet' })
}

test('halves of surrogate pairs are refused, or left to a reader that says so', () => {
  for (const text of ['"\\ud83d"', '{"\\udc00":1}', '["a\\ud83d b"]']) {
    assert.throws(() => parseStrict(text), { code: 'JSON_INVALID' })
    assert.deepEqual(parseStrict(text, { loneSurrogates: 'keep' }), JSON.parse(text))
  }
  assert.throws(() => parseStrict('{"\\ud83d":1,"\\ud83d":2}', { loneSurrogates: 'keep' }), { code: 'JSON_DUPLICATE_MEMBER' })
})

test('any JSON has a text, also what JavaScript makes none of', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.equal(asText(value), typeof value === 'object' && value ? '[object]' : `${value}`)),
    runs,
  )
  assert.throws(() => String({ toString: 1, valueOf: 1 }), TypeError)
  assert.equal(asText({ toString: 1, valueOf: 1 }), '[object]')
})
