import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { refused } from './support/smuggled.ts'
import { call, openWire, type Wire } from './support/wire.ts'

let wire: Wire
before(async () => {
  wire = openWire()
  wire.send({ jsonrpc: '2.0', id: 'open', method: 'ping' })
  await wire.next()
  while (!wire.recorder.events.some((e) => e.event_type === 'session_start')) await setImmediate() // recorded beside the answer
})
after(() => wire.close())

for (const [what, line, code, id] of refused) {
  test(`${what} is refused, recorded and never reaches the server`, async () => {
    const from = wire.recorder.events.length
    wire.send(line, { jsonrpc: '2.0', id: what, method: 'ping' })
    const first = await wire.next()
    if (code !== undefined) {
      assert.equal(first.error?.code, code)
      assert.equal(first.id, id)
      assert.equal(first.error?.data?.reason, 'malformed_request')
      assert.equal((await wire.next()).id, what)
    } else assert.equal(first.id, what)
    const blocked = wire.recorder.events.slice(from)
    assert.deepEqual(
      blocked.map((e) => [e.event_type, e.reason_code]),
      [['method_blocked', 'malformed_request']],
    )
    assert.doesNotMatch(JSON.stringify(first), /[\u001b\u202e\u200b]/)
    assert.equal(wire.seen().at(-1), `{"jsonrpc":"2.0","id":${JSON.stringify(what)},"method":"ping"}`)
    assert.ok(wire.seen().every((l) => l.includes('"ping"')))
  })
}

test('a line of more than 10 MiB is refused, and the next one passes', async () => {
  wire.send(JSON.stringify(call(1, 'echo', { words: 'x'.repeat(10 * 1024 * 1024) })), { jsonrpc: '2.0', id: 'after', method: 'ping' })
  assert.equal((await wire.next()).error?.code, -32600)
  assert.equal((await wire.next()).id, 'after')
  assert.ok(wire.seen().every((l) => l.includes('"ping"')))
})

test('blank lines are skipped, CRLF is accepted', async () => {
  const from = wire.recorder.events.length
  wire.send('', '  \r', '{"jsonrpc":"2.0","id":"crlf","method":"ping"}\r')
  assert.equal((await wire.next()).id, 'crlf')
  assert.equal(wire.recorder.events.length, from)
})

test('a raw U+2028 in an argument reaches the server as its escape: line readers see one message', async () => {
  const inner = '{"jsonrpc":"2.0","id":66,"method":"tools/call","params":{"name":"die"}}'
  wire.send(JSON.stringify(call('sep', 'echo', { words: `a\u2028${inner}\u2028b` })))
  const answer = await wire.next((m) => m.id === 'sep')
  assert.match(JSON.stringify(answer.result), /\\"die\\"/)
})
