/** The parts of a text that may be paths: one pass finds what taking it apart by a pattern finds. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findTokens } from '../src/paths/spellings.ts'
import { runs } from './support/make.ts'

const BETWEEN = /[\s"'`;|&<>()=,{}[\]]+/
const piece = fc.constantFrom(
  'a',
  'b.c',
  '/',
  '.',
  '..',
  ':',
  '.env',
  'x/y',
  ' ',
  '\t',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '"',
  "'",
  '=',
  '{',
  ']',
  'é',
  'file:',
  'file:///d',
  '',
)
const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''))
const isPath = (token: string) => token.includes('/') || token.startsWith('.')

/** Each token and, where it has colons, each of its parts. */
function takeApart(whole: string): string[] {
  const tokens = whole.split(BETWEEN).filter((token) => token !== '')
  return tokens.flatMap((token) => (token.includes(':') ? [token, ...token.split(':')] : [token]))
}

test('every token and every part of one is found, and nothing else but what a file URL leads to', () => {
  fc.assert(
    fc.property(text, (whole) => {
      const expected = new Set(takeApart(whole))
      const found = [...findTokens(whole, false)]
      for (const one of expected) assert.ok(found.includes(one), JSON.stringify(one))
      for (const one of found)
        assert.ok(expected.has(one) || /^file:/i.test(whole) || whole.toLowerCase().includes('file:'), JSON.stringify(one))
    }),
    { ...runs, numRuns: runs.numRuns * 4 },
  )
})

test('those that look like paths are found, where only those are asked for', () => {
  fc.assert(
    fc.property(text, (whole) => {
      const found = [...findTokens(whole, true)]
      assert.deepEqual(found.filter(isPath), [...findTokens(whole, false)].filter(isPath))
    }),
    { ...runs, numRuns: runs.numRuns * 4 },
  )
})

test('every white space of a pattern is one here', () => {
  for (let code = 0; code < 0x10000; code++) {
    const character = String.fromCharCode(code)
    if (/\s/.test(character)) assert.deepEqual([...findTokens(`a${character}b`, false)], ['a', 'b'], code.toString(16))
  }
})
