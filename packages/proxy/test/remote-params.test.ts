/** Fields that repeat arguments, as a tool's schema marks them: learnt, sent, and refused where the marks are wrong. @module */
import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { decodeField } from '../src/http/headers.ts'
import { createParamFields, findMarks } from '../src/http/remote-params.ts'

const mark = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name })
const object = (properties: object) => ({ type: 'object', properties })
const callOf = (input: unknown, name = 'sql') =>
  ({ kind: 'request', id: 1, method: 'tools/call', params: { name, arguments: input } }) as const

test('marks are found along properties, however deep, and nowhere else', () => {
  const schema = object({ region: mark('Region'), inner: object({ n: mark('N', 'integer') }), 'x-mcp-header': { type: 'string' } })
  assert.deepEqual(findMarks({ ...schema, default: { 'x-mcp-header': 'data' } }), [
    { field: 'Region', path: ['region'] },
    { field: 'N', path: ['inner', 'n'] },
  ])
  assert.deepEqual(findMarks(undefined), [])
})

describe('a definition is unusable', () => {
  const cases: [string, unknown, RegExp][] = [
    ['with an empty name', object({ a: mark('') }), /no name of a field/],
    ['with a line end in the name', object({ a: mark('a\r\nX: y') }), /no name of a field/],
    ['with a name that is no text', object({ a: mark(1) }), /no name of a field/],
    ['with a mark on a number', object({ a: mark('A', 'number') }), /neither string, integer nor boolean/],
    ['with a mark on an object', object({ a: { ...object({}), 'x-mcp-header': 'A' } }), /neither string, integer nor boolean/],
    ['with two names that differ in case only', object({ a: mark('A'), b: mark('a') }), /twice/],
    ['with a mark at its root', mark('A'), /no property/],
    ['with a mark under items', object({ a: { type: 'array', items: mark('A') } }), /no property/],
    ['with a mark under a choice', { anyOf: [object({ a: mark('A') })] }, /no property/],
    ['with a mark under $defs', { $defs: { a: mark('A') } }, /no property/],
  ]
  for (const [what, schema, why] of cases)
    it(what, () => {
      assert.match(String(findMarks(schema)), why)
      const fields = createParamFields()
      const good = { name: 'good', inputSchema: object({}) }
      assert.deepEqual(
        fields.learn({ tools: [good, { name: 'sql', inputSchema: schema }] }).map(({ place }) => place),
        [1],
      )
      assert.deepEqual([fields.knows(callOf({}, 'good')), fields.knows(callOf({}))], [true, false])
    })
})

test('a field says what the argument says, whatever it is; absent, null and unspellable arguments have none', () => {
  const fields = createParamFields()
  fields.learn({ tools: [{ name: 'sql', inputSchema: object({ a: mark('A'), deep: object({ b: mark('B', 'integer') }) }) }] })
  assert.deepEqual(fields.of(callOf({ a: 'eu', deep: { b: 42 } })), ['Mcp-Param-A', 'eu', 'Mcp-Param-B', '42'])
  for (const none of [{}, { a: null }, { a: {} }, { deep: 1 }, { deep: { b: 2 ** 60 } }, undefined])
    assert.deepEqual(fields.of(callOf(none)), [])
  assert.deepEqual(fields.of(callOf({ a: 'eu' }, 'other')), [])
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.boolean(), fc.maxSafeInteger()), (value) => {
      const [name, field = ''] = fields.of(callOf({ a: value }))
      assert.equal(name, 'Mcp-Param-A')
      assert.match(field, /^[\x20-\x7e]+$/)
      assert.equal(decodeField(field), Buffer.from(String(value)).toString())
    }),
  )
})
