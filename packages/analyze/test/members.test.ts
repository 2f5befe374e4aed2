/** Members of a line without the rest of it: what the parser says of the same line, whoever wrote it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseEntry } from '../src/reading/entry.ts'
import { createMemberReader } from '../src/reading/members.ts'
import { anyEvent, linesOf } from './support/ledgers.ts'

const runs = { numRuns: 400 * (process.env.SWORN_TESTS === 'full' ? 50 : process.env.SWORN_TESTS === 'ci' ? 5 : 1) }

const NAMES = ['decision', 'tool', 'agent']

/** How a line begins and goes on around what is written there, and what stands in other lines behind it. */
const PADS = [
  ['', ''],
  ['{"seq":9,"decision":"before"}\n', '\n{"seq":8,"decision":"behind"}'],
] as const

/** The parser's word is the truth; members that nobody asked for may be there or not. */
function same(line: Buffer): boolean {
  const read = createMemberReader(NAMES)
  const truth = parseEntry({ bytes: line })
  for (const [before, behind] of PADS) {
    const all = Buffer.concat([Buffer.from(before), line, Buffer.from(behind)])
    const found = read(all, before.length, before.length + line.length)
    for (const name of ['seq', ...NAMES]) assert.deepEqual(found?.[name], truth?.[name], `${name} of ${line}`)
    assert.equal(found === undefined, truth === undefined)
  }
  return truth !== undefined
}

const HOSTILE = [
  '{"seq":1,"decision":"allow","decision":"deny"}',
  '{"decision":"deny","seq":1,"seq":2}',
  '{"seq":1,"arguments":{"decision":"deny"},"list":["decision",{"decision":"deny"}]}',
  '{"seq":1,"note":"\\",\\"decision\\":\\"deny"}',
  '{"seq":1,"\\u0064ecision":"deny"}',
  '{"seq":1,"decision":"\\u0064eny","tool":"\\ud800"}',
  '{"decision":"deny","seq":1,"decisio\\u006e":"allow"}',
  '{ "seq" : 1 , "decision" : "deny" }',
  '{"seq":1,"decision":"deny"} ',
  '{"seq":1,"decision":"deny"}}',
  '{"seq":1,"decision":"deny",}',
  '{"seq":1,,"decision":"deny"}',
  '{"seq":1 "decision":"deny"}',
  '{"seq":1,"decision":"deny"',
  '{"seq":1,"decision":"deny","tool":"torn',
  '{"seq":1,"decision":"deny","tool":"torn\\',
  '{"seq":1,"decision":"deny","tool":"torn\\u00',
  '{"seq":1,"tool":"\\u00g0"}',
  '{"seq":1,"tool":"\\x"}',
  '{"seq":1,"tool":"a\tb"}',
  '{"seq":1,"tool":01}',
  '{"seq":1,"tool":-}',
  '{"seq":1,"tool":-0}',
  '{"seq":1,"tool":1.}',
  '{"seq":1,"tool":1.50}',
  '{"seq":1,"tool":.5}',
  '{"seq":1,"tool":1e400}',
  '{"seq":1,"tool":123456789012345678901234567890}',
  '{"seq":1e2}',
  '{"seq":1.0}',
  '{"seq":1.5}',
  '{"seq":-1}',
  '{"seq":"1"}',
  '{"seq":9007199254740993}',
  '{"decision":"deny"}',
  '{"seq":1,"tool":nul}',
  '{"seq":1,"tool":nulll}',
  '{"seq":1,"tool":null,"agent":true,"decision":false}',
  '{"seq":1,"agent":{"name":"a","name":"b"}}',
  '{"seq":1,"agent":{"name":"a"},"agent":[]}',
  '{"seq":1,"agent":{}}',
  '{"seq":1,"agent":{"a":[],"b":{}},"c":[{},[]]}',
  '{"seq":1,"list":[1,]}',
  '{"seq":1,"list":[,1]}',
  '{"seq":1,"list":[1 ,2]}',
  '{"seq":1,"list":[1}',
  '{"seq":1,"map":{"a"}}',
  '{"seq":1,"map":{"a":1]}',
  '{"seq":1,"__proto__":{"decision":"deny"}}',
  '{"seq":1,"toString":"x","constructor":1}',
  '{"seq":1,"":"","tool":""}',
  '{}',
  '{',
  '',
  '[{"seq":1}]',
  'null',
  '\ufeff{"seq":1}',
  `{"seq":1,"deep":${'['.repeat(200)}${']'.repeat(200)}}`,
  `{"seq":1,"deep":${'{"a":'.repeat(100)}1${'}'.repeat(100)},"decision":"deny"}`,
  `{"seq":1,"deep":${'['.repeat(63)}${']'.repeat(64)}}`,
]

test('a line reads as the parser reads it: doubled names, names in values, escapes, what is torn and what is no JSON', () => {
  const entries = HOSTILE.filter((line) => same(Buffer.from(line)))
  assert.ok(entries.length > 15 && entries.length < HOSTILE.length - 15, 'some are entries, some are none')
  same(Buffer.concat([Buffer.from('{"seq":1,"tool":"'), Buffer.of(0xff, 0xc3), Buffer.from('"}')]))
  same(Buffer.from(`{"seq":1,"tool":"${'x'.repeat(2 << 20)}"}`))
})

test('any line of a ledger, whole, cut or with a byte changed, reads as the parser reads it', () => {
  const bytes = fc.constantFrom(...Buffer.from('{}[]",:\\ \n\t0-.eun'), 0xff)
  const spoil = fc.oneof(
    fc.constant((line: Buffer) => line),
    fc.nat(2000).map((at) => (line: Buffer) => line.subarray(0, at % line.length)),
    fc.tuple(fc.nat(2000), bytes).map(
      ([at, byte]) =>
        (line: Buffer) =>
          Buffer.from(line).fill(byte, at % line.length, (at % line.length) + 1),
    ),
    fc.tuple(fc.nat(2000), bytes).map(([at, byte]) => (line: Buffer) => {
      const place = at % line.length
      return Buffer.concat([line.subarray(0, place), Buffer.of(byte), line.subarray(place)])
    }),
    fc.constant((line: Buffer) => Buffer.from(JSON.stringify(JSON.parse(line.toString()), undefined, 1).replaceAll('\n', ' '))),
  )
  fc.assert(
    fc.property(anyEvent, spoil, (event, spoiled) => void same(spoiled(Buffer.from(linesOf([event])[0]!.slice(0, -1))))),
    runs,
  )
})
