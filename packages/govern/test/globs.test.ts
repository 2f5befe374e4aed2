/** Path globs compared with places and with each other, against regular expressions and by construction. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Glob, literalGlob, mayMeet, parseGlob } from '../src/paths/globs.ts'
import { runs } from './support/make.ts'

const parse = (text: string): Glob => parseGlob(text) ?? assert.fail('too many alternatives')
const names = (glob: string, place: string) => mayMeet(parse(glob), literalGlob(place))

const piece = fc.constantFrom('a', 'b', '.', '/', '*', '?', '**', '[ab]', '[!a]', '{a,bb}', '/**/', '/**')
const globText = fc.array(piece, { minLength: 1, maxLength: 7 }).map((pieces) => `/${pieces.join('')}`)
const place = fc.array(fc.constantFrom('a', 'b', '.', '/', 'bb'), { maxLength: 8 }).map((parts) => `/${parts.join('')}`)

/** The same reading, by another way: a regular expression. */
function toRegExp(glob: string): RegExp {
  let source = ''
  for (let at = 0; at < glob.length; at++) {
    const rest = glob.slice(at)
    if (rest === '/**') return new RegExp(`^${source === '' ? '(?:/.*|/)' : `${source}(?:/.*)?`}$`, 's')
    if (rest.startsWith('/**/')) {
      source += '(?:/|/.*/)'
      at += 3
    } else if (rest.startsWith('**')) {
      source += '.*'
      at += 1
    } else if (rest.startsWith('{a,bb}')) {
      source += '(?:a|bb)'
      at += 5
    } else if (rest.startsWith('[')) {
      source += rest.startsWith('[!') ? '[^a/]' : '[ab]'
      at += rest.indexOf(']')
    } else source += rest[0] === '*' ? '[^/]*' : rest[0] === '?' ? '[^/]' : rest[0]!.replace('.', '\\.')
  }
  return new RegExp(`^${source}$`, 's')
}

test('a glob names exactly the places that the same regular expression matches', () => {
  const plain = globText.filter((glob) => !/\*\*\*|\/\*\*\/\*\*/.test(glob))
  fc.assert(
    fc.property(plain, place, (glob, one) => {
      assert.equal(names(glob, one), toRegExp(glob).test(one), `${glob} ${one}`)
    }),
    { ...runs, numRuns: runs.numRuns * 10 },
  )
})

test('two globs that both name a place are found to meet, whichever is asked first', () => {
  fc.assert(
    fc.property(globText, globText, fc.array(place, { maxLength: 20 }), (a, b, places) => {
      const [one, other] = [parse(a), parse(b)]
      assert.equal(mayMeet(one, other), mayMeet(other, one))
      if (places.some((at) => names(a, at) && names(b, at))) assert.ok(mayMeet(one, other))
    }),
    { ...runs, numRuns: runs.numRuns * 5 },
  )
})

test('a glob that would explode is refused, and one that would backtrack is compared in time', () => {
  assert.equal(parseGlob('{a,b}'.repeat(7)), undefined)
  assert.equal(parseGlob('/**/a'.repeat(9)), undefined)
  assert.equal(names(`/${'*a'.repeat(60)}b`, `/${'a'.repeat(4000)}`), false)
})
