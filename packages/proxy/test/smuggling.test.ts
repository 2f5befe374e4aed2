import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { call, openWire, type Wire } from './support/wire.ts'

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const tool = (name: string) => JSON.stringify(call(1, name))
const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : Buffer.from(p))))

/** What it is, the line, the code of the answer and its id; no code: no answer. */
const refused: [string, string | Buffer, number | undefined, (string | number | null)?][] = [
  ['a batch of calls (AW14)', `[${tool('echo')},${tool('echo')}]`, -32600, null],
  ['an empty batch', '[]', -32600, null],
  ['a case variant of method (AW15)', '{"jsonrpc":"2.0","id":1,"method":"tools/call","METHOD":"ping","params":{"name":"echo"}}', -32600, 1],
  [
    'a case variant of params.name (AW16)',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Name":"read_file"}}',
    -32600,
    1,
  ],
  ['a zero-width space in the method (AW17)', '{"jsonrpc":"2.0","id":1,"method":"tools/call\u200b","params":{"name":"echo"}}', -32600, 1],
  ['a full-width letter in the method (AW17)', '{"jsonrpc":"2.0","id":1,"method":"ｔools/call","params":{"name":"echo"}}', -32600, 1],
  ['method twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"echo"}}', -32600, 1],
  ['method twice, once escaped', '{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/call"}', -32600, 1],
  ['id twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"echo"}}', -32600, null],
  ['the tool name twice', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","name":"echo"}}', -32600, 1],
  [
    'an argument twice, deep',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":[{"p":1,"p":2}]}}}',
    -32600,
    1,
  ],
  ['params twice', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"},"params":{"name":"echo"}}', -32600, 1],
  ['a long s in params', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"},"paramſ":{"name":"echo"}}', -32600, 1],
  ['a dotless i in id', '{"jsonrpc":"2.0","id":1,"ıd":2,"method":"tools/call","params":{"name":"echo"}}', -32600, null],
  ['a full-width method member', '{"jsonrpc":"2.0","id":1,"method":"ping","ｍethod":"tools/call"}', -32600, 1],
  ['a soft hyphen in a member', '{"jsonrpc":"2.0","id":1,"method":"ping","me\u00adthod":"tools/call"}', -32600, 1],
  [
    'Arguments beside arguments',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},"Arguments":{"a":1}}}',
    -32600,
    1,
  ],
  ['a case variant of the method', '{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"echo"}}', -32600, 1],
  ['a space after the method', '{"jsonrpc":"2.0","id":1,"method":"tools/call ","params":{"name":"echo"}}', -32600, 1],
  ['a NUL in the method', '{"jsonrpc":"2.0","id":1,"method":"tools/call\\u0000","params":{"name":"echo"}}', -32600, 1],
  ['a call without id', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}', undefined],
  ['a call with id null', '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"echo"}}', -32600, null],
  ['an id beyond 2^53', '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"echo"}}', -32600, null],
  ['a fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"echo"}}', -32600, null],
  ['an id of 300 characters', JSON.stringify(call('x'.repeat(300), 'echo')), -32600, null],
  ['an array as id', '{"jsonrpc":"2.0","id":[1],"method":"tools/call","params":{"name":"echo"}}', -32600, null],
  ['no version', '{"id":1,"method":"tools/call","params":{"name":"echo"}}', -32600, 1],
  ['another version', '{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"echo"}}', -32600, 1],
  ['a call that is also a response', '{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call","params":{"name":"echo"}}', -32600, 1],
  ['params as an array', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["echo"]}', -32600, 1],
  ['a tool name that is an array', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["echo"]}}', -32600, 1],
  ['arguments that are a string', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":"{}"}}', -32600, 1],
  ['a zero-width space in the tool name', tool('ec\u200bho'), -32600, 1],
  ['full-width letters in the tool name', tool('ｅcho'), -32600, 1],
  ['an unnormalised tool name', tool('lo\u0308schen'), -32600, 1],
  ['an ANSI sequence in the tool name', tool('echo\u001b[2J\u001b[31mfake'), -32600, 1],
  ['a bidi override in the tool name', tool('echo\u202egpj.exe'), -32600, 1],
  [
    'half a surrogate pair in an argument',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":"\\ud800"}}}',
    -32600,
    1,
  ],
  [
    'half a surrogate pair in a name',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"\\udc00":1}}}',
    -32600,
    1,
  ],
  ['nesting of 65', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":${deep(62)}}}}`, -32600, null],
  ['nesting of 200,000', deep(200_000), -32600, null],
  ['invalid UTF-8', bytes('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo', [0xff], '"}}'), -32700, null],
  ['an overlong UTF-8 quote', bytes('{"jsonrpc":"2.0","id":1,"method":"ping', [0xc0, 0xa2], '}'), -32700, null],
  [
    'a surrogate in UTF-8',
    bytes('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"', [0xed, 0xa0, 0x80], '"}}'),
    -32700,
    null,
  ],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], tool('echo')), -32700, null],
  ['a comment', `/* */${tool('echo')}`, -32700, null],
  ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},}', -32700, null],
  ['a single-quoted string', "{'jsonrpc':'2.0','id':1,'method':'tools/call'}", -32700, null],
  ['NaN', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":NaN}}}', -32700, null],
  ['two messages on one line', `${tool('echo')}${tool('echo')}`, -32700, null],
  ['a second message between carriage returns', `{"jsonrpc":"2.0","id":1,"method":"ping","params":\r${tool('echo')}\r}`, -32600, null],
  ['_meta as an array', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":[]}}', -32600, 1],
  [
    'a case variant of a _meta member',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"PROGRESSTOKEN":1}}}',
    -32600,
    1,
  ],
  ['a string', '"tools/call"', -32600, null],
  ['null', 'null', -32600, null],
  [
    'a case variant on a notification',
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"RequestId":2}}',
    undefined,
  ],
  ['neither call nor response', '{"jsonrpc":"2.0","id":1}', -32600, 1],
]

let wire: Wire
before(async () => {
  wire = openWire()
  wire.send({ jsonrpc: '2.0', id: 'open', method: 'ping' })
  await wire.next()
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
