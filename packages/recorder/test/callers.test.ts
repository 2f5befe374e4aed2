import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bearerOf, createBearerCheck, isLoopback } from '../src/http/index.ts'

describe('a bearer token', () => {
  test('is read from its scheme alone, whatever the case of that word', () => {
    for (const field of ['Bearer abc', 'bearer abc', 'BEARER abc']) assert.equal(bearerOf(field), 'abc')
    for (const field of ['', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer\tabc', 'Basic abc', 'xBearer abc', 'Bearer é', null, undefined])
      assert.equal(bearerOf(field), undefined)
    assert.equal(bearerOf(`Bearer ${'x'.repeat(8193)}`), undefined)
  })

  test('finds its bearer, and nobody for a part of one, a longer one or none', () => {
    const [ann, bob] = [
      { token: 'a'.repeat(16), who: 'ann' },
      { token: 'b'.repeat(16), who: 'bob' },
    ]
    const find = createBearerCheck([ann!, bob!])
    assert.deepEqual([find(ann!.token), find(bob!.token)], [ann, bob])
    for (const wrong of [undefined, '', 'a', 'a'.repeat(15), 'a'.repeat(17)]) assert.equal(find(wrong), undefined)
    assert.equal(createBearerCheck([])('a'.repeat(16)), undefined)
  })

  test('that could be guessed is refused and not repeated', () =>
    assert.throws(
      () => createBearerCheck([{ token: 'guess-me' }]),
      (e) => e instanceof TypeError && !e.message.includes('guess-me'),
    ))
})

test('only the addresses of this machine itself are loopback', () => {
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '127.0.0.1.example.com', '127.example', 'localhost.example', '10.0.0.1', ''])
    assert.ok(!isLoopback(host), host)
})
