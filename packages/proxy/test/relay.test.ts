import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWire } from './support/wire.ts'

test('a call leaves start and end with one correlation id, and passes byte for byte', async () => {
  const wire = openWire()
  wire.send({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '9' } },
  })
  await wire.next((m) => m.id === 0)
  const spelled = '{ "id" : 1 ,"jsonrpc":"2.0", "method":"tools\\u002fcall","params":{"name":"echo","arguments":{"words":"hi","n":1.50}} }'
  wire.send(spelled)
  const answer = await wire.next((m) => m.id === 1)
  assert.equal(answer.raw, '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hi"}]}}')
  assert.equal(wire.seen()[1], spelled)
  assert.deepEqual(await wire.close(), { exitCode: 0, signal: null })
  const types = wire.recorder.events.map((e) => e.event_type)
  assert.deepEqual(types, ['session_start', 'tool_call_start', 'tool_call_end', 'session_end'])
  const [, start, end] = wire.recorder.events
  assert.equal(start?.correlation_id, end?.correlation_id)
  assert.equal(end?.server, 'echo')
  assert.equal(end?.metadata?.server_version, '1.2.3')
  assert.equal(end?.is_error, false)
  assert.ok(Number(end?.duration_ms) > 0)
  assert.match(wire.errors(), /sworn: no policy/)
  assert.match(wire.errors(), /echo: ready/)
})
