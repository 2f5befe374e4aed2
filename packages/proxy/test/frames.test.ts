import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { foldName, isPlainMethod, isPlainToolName } from '../src/frames/names.ts'
import { readFrame } from '../src/frames/read.ts'
import { countMembers, scanStructure } from '../src/frames/scan.ts'
import { createSplitter } from '../src/frames/split.ts'
import { escapeSeparators, formatChanged } from '../src/frames/write.ts'

const SEED = 20261121

function split(chunks: Buffer[], maxBytes?: number): { frames: string[]; lost: [string, number][] } {
  const frames: string[] = []
  const lost: [string, number][] = []
  const options = {
    onFrame: (line: Buffer) => frames.push(line.toString()),
    onLost: (why: string, bytes: number) => lost.push([why, bytes]),
  }
  const splitter = createSplitter(maxBytes === undefined ? options : { ...options, maxBytes })
  for (const chunk of chunks) splitter.push(chunk)
  splitter.end()
  return { frames, lost }
}

describe('the splitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const lines = fc.array(
      fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\n', '')),
      { maxLength: 8 },
    )
    const property = fc.property(lines, fc.array(fc.nat(200)), (words, cuts) => {
      const bytes = Buffer.from(words.map((w) => `${w}\n`).join(''))
      const at = [...new Set(cuts.map((c) => Math.min(c, bytes.length)))].toSorted((a, b) => a - b)
      const chunks = [0, ...at].map((from, n) => bytes.subarray(from, at[n] ?? bytes.length))
      assert.deepEqual(split(chunks), { frames: split([bytes]).frames, lost: [] })
      assert.deepEqual(
        split([bytes]).frames,
        bytes
          .toString()
          .split('\n')
          .slice(0, -1)
          .map((w) => `${w}\n`),
      )
    })
    fc.assert(property, { seed: SEED, numRuns: 300 })
  })

  it('drops a line above the bound whole, reports it once, and goes on with the next', () => {
    const long = Buffer.from(`${'x'.repeat(20)}\n`)
    assert.deepEqual(split([long.subarray(0, 9), long.subarray(9, 15), long.subarray(15), Buffer.from('ok\n')], 10), {
      frames: ['ok\n'],
      lost: [['too_long', 21]],
    })
    assert.deepEqual(split([Buffer.concat([long, Buffer.from('ok\n')])], 10), { frames: ['ok\n'], lost: [['too_long', 21]] })
    assert.deepEqual(split([Buffer.from('123456789\n1234567890\n')], 10), { frames: ['123456789\n'], lost: [['too_long', 11]] })
  })

  it('never hands out what was not ended', () => {
    assert.deepEqual(split([Buffer.from('a\n{"half":')]), { frames: ['a\n'], lost: [['unterminated', 8]] })
  })
})

test('written members are more than parsed ones exactly when a name occurs twice, at any depth and in any spelling', () => {
  const twice = ['{"a":1,"a":1}', '{"a":{"b":1,"\\u0062":2}}', '[[{"x":[{"k":0,"k":0}]}]]', '{"__proto__":1,"__proto__":2}', '{"":1,"":2}']
  const once = ['{"a":1,"A":1}', '{"a:":":a","b":"\\":{"}', '{"a":{"b":1},"c":{"b":1}}', '[1,"a:b",{"\\\\":":"}]', '{"__proto__":1}']
  for (const text of twice) assert.ok(scanStructure(Buffer.from(text)).members > countMembers(JSON.parse(text)), text)
  for (const text of once) assert.equal(scanStructure(Buffer.from(text)).members, countMembers(JSON.parse(text)), text)
})

test('any JSON value that JavaScript writes is counted right and read back', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6, stringUnit: 'binary' }), (text) => {
      assert.equal(scanStructure(Buffer.from(text)).members, countMembers(JSON.parse(text)))
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('reading is total: any bytes give a message or a refusal', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((t) => Buffer.from(t)),
    fc.string({ unit: 'binary' }).map((t) => Buffer.from(t)),
  )
  fc.assert(
    fc.property(bytes, (line) => {
      const read = readFrame(Buffer.concat([line, Buffer.from('\n')]))
      assert.equal(typeof read.ok, 'boolean')
    }),
    { seed: SEED, numRuns: 1000 },
  )
})

test('a long string with many escapes is skipped right', () => {
  const value = { a: '\\"'.repeat(5000), b: `${'x'.repeat(100)}\\`, c: '{"a":1}' }
  const text = JSON.stringify(value)
  assert.deepEqual(scanStructure(Buffer.from(text)), { depth: 1, members: 3 })
})

test('names that fold to a protocol name without being it are imitations', () => {
  for (const name of ['METHOD', 'Method', 'ｍethod', 'me\u200bthod', 'meth\u00adod', ' method'])
    assert.equal(foldName(name), 'method', JSON.stringify(name))
  assert.equal(foldName('paramſ'), 'params')
  assert.equal(foldName('ıd'), 'id')
  for (const method of ['TOOLS/CALL', 'tools/call\u200b', 'ｔools/call', 'tools/call ', 'tools/ca\u006c\u0301l', '', 'a\nb'])
    assert.ok(!isPlainMethod(method), JSON.stringify(method))
  for (const method of ['tools/call', 'vendor.example/do', '$/progress']) assert.ok(isPlainMethod(method))
})

test('tool names are shown in one way only', () => {
  for (const name of ['read_file', 'ns/tool.v1', 'suche nach', 'datei_löschen', '読む', 'a(b)']) assert.ok(isPlainToolName(name), name)
  const bad = [
    '',
    ' a',
    'a ',
    'a\u200bb',
    'ｒead',
    'a\u001b[31m',
    'a\u202eb',
    'a\u0000',
    'lo\u0308',
    'a\u00a0b',
    'ﬁle',
    'a\u3164',
    'a\u2800',
    'a\ufe0f',
    'a\u2028b',
    'x'.repeat(2000),
  ]
  for (const name of bad) assert.ok(!isPlainToolName(name), JSON.stringify(name))
})

test('a changed message keeps its other members and the digits of its numbers', () => {
  const line = Buffer.from(
    '{"jsonrpc":"2.0","id":7,"result":{"big":9007199254740993,"f":1.0,"e":1e400,"content":[{"text":"secret","n":0.10}],"z":-0}}\n',
  )
  const value = { big: 9007199254740992, f: 1, e: Number.POSITIVE_INFINITY, content: [{ text: 'masked', n: 0.1 }], z: -0 }
  const want =
    '{"jsonrpc":"2.0","id":7,"result":{"big":9007199254740993,"f":1.0,"e":1e400,"content":[{"text":"masked","n":0.10}],"z":-0}}\n'
  assert.equal(formatChanged(line, ['result'], value).toString(), want)
})

test('raw line separators are escaped, everything else keeps its bytes', () => {
  const plain = Buffer.from('{"a":"ü — 𝄞"}\n')
  assert.equal(escapeSeparators(plain), plain)
  const raw = '{"a":"1\u20282\u20293\u00854"}\n'
  assert.equal(escapeSeparators(Buffer.from(raw)).toString(), '{"a":"1\\u20282\\u20293\\u00854"}\n')
  assert.deepEqual(JSON.parse(escapeSeparators(Buffer.from(raw)).toString()), JSON.parse(raw))
})
