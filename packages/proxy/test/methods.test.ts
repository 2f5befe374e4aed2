/** Methods besides tools/call that are judged: their decision is on disk before they go out, and how they ended is recorded. @module */
import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { denyingGate, maskingGate } from './support/gates.ts'
import { createMemoryRecorder, type Recorded } from './support/memory-recorder.ts'
import { call, openWire } from './support/wire.ts'

const JUDGED: readonly (readonly [method: string, params?: Record<string, unknown>])[] = [
  ['resources/read', { uri: 'note:one', _meta: { a: 1 } }],
  ['resources/subscribe', { uri: 'note:one' }],
  ['prompts/get', { name: 'echo', arguments: { words: 'x' } }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'x' }, argument: { name: 'a', value: 'b' } }],
  ['vendor/erase', { all: true }],
  ['vendor/erase'],
]
const request = (method: string, params?: Record<string, unknown>) => ({ jsonrpc: '2.0', id: 1, method, ...(params && { params }) })
const decisionsOf = (events: readonly Recorded[]) => events.filter(({ event_type }) => event_type === 'authorization_decision')

for (const [method, params] of JUDGED)
  test(`${method} ${params ? 'with' : 'without'} params reaches the server only after its decision is recorded`, async () => {
    const recorder = createMemoryRecorder()
    const wire = openWire({ recorder, gate: denyingGate([]) })
    wire.send({ jsonrpc: '2.0', id: 'p', method: 'ping' })
    await wire.next()
    const door = Promise.withResolvers<void>()
    recorder.behave = door.promise
    wire.send(request(method, params), { jsonrpc: '2.0', id: 'q', method: 'ping' })
    assert.equal((await wire.next()).id, 'q')
    const [decision] = decisionsOf(recorder.events)
    assert.deepEqual([decision?.decision, decision?.method, decision?.policy_name, decision?.tool], ['allow', method, 'test', undefined])
    assert.ok(wire.seen().every((line) => line.includes('ping')))
    recorder.behave = 'ack'
    door.resolve()
    assert.equal((await wire.next()).id, 1)
    await wire.close()
    const [end] = recorder.ofType('tool_call_end')
    assert.deepEqual([end?.correlation_id, end?.method, end?.is_error], [decision?.correlation_id, method, false])
    assert.equal(decisionsOf(recorder.events).length, 1)
  })

test('a call that is let through in spite of a violation was decided, whoever has no policy', async () => {
  const open = { decision: 'allow', reason: 'fail_open', reasonCode: 'default_allow', violation: true, enforced: false } as const
  const wire = openWire({ gate: { ...denyingGate([]), judge: async () => open } })
  wire.send(call(1, 'echo', { words: 'x' }))
  await wire.next()
  await wire.close()
  assert.deepEqual(
    decisionsOf(wire.recorder.events).map(({ decision, violation, enforced }) => [decision, violation, enforced]),
    [['allow', true, false]],
  )
})

test('what names nothing does not wait, and is no decision', async () => {
  const recorder = createMemoryRecorder()
  const wire = openWire({ recorder, gate: denyingGate([]) })
  for (const method of ['ping', 'tools/list', 'resources/templates/list', 'logging/setLevel', 'tasks/get']) {
    recorder.behave = 'refuse'
    wire.send(request(method, {}))
    assert.equal((await wire.next()).error, undefined, method)
  }
  recorder.behave = 'ack'
  await wire.close()
  assert.deepEqual(decisionsOf(recorder.events), [])
})

test('a resource is the target of its decision, and data that was read when it came', async () => {
  const wire = openWire({ gate: denyingGate([]) })
  wire.send(request('resources/read', { uri: 'note:one', _meta: { progressToken: 1 } }))
  await wire.next()
  await wire.close()
  const [decision] = decisionsOf(wire.recorder.events)
  assert.deepEqual([decision?.target, decision?.arguments], ['note:one', { uri: 'note:one' }])
  const [read] = wire.recorder.ofType('data_access')
  assert.deepEqual([read?.target, read?.correlation_id], ['note:one', decision?.correlation_id])
})

test('a rewritten request is recorded as one', async () => {
  const wire = openWire({ gate: maskingGate('s3cret', 'mask', 'request') })
  wire.send(request('resources/read', { uri: 'note:s3cret' }))
  await wire.next()
  await wire.close()
  assert.equal(decisionsOf(wire.recorder.events)[0]?.metadata?.arguments_rewritten, true)
})

describe('a judged request and a ledger that cannot be written', () => {
  for (const behave of ['refuse', 'unknown', 'late'] as const)
    it(`is not forwarded: ${behave}`, async () => {
      const recorder = createMemoryRecorder()
      const wire = openWire({ recorder, gate: denyingGate([]), ackTimeoutMs: 20 })
      wire.send({ jsonrpc: '2.0', id: 'p', method: 'ping' })
      await wire.next()
      const door = Promise.withResolvers<void>()
      recorder.behave = behave === 'late' ? door.promise : behave
      wire.send(request('resources/read', { uri: 'note:one' }))
      const { error } = await wire.next()
      assert.deepEqual([error?.code, error?.data], [-32603, { method: 'resources/read', reason: 'audit_unavailable' }])
      recorder.behave = 'ack'
      door.resolve()
      await wire.close()
      assert.ok(wire.seen().every((line) => line.includes('ping')))
      const disowned = recorder.ofType('tool_call_error').map(({ error_type, method }) => [error_type, method])
      assert.deepEqual(disowned, behave === 'refuse' ? [] : [['not_executed', 'resources/read']])
    })

  it('goes on with onAuditFailure continue', async () => {
    const wire = openWire({ gate: denyingGate([]), onAuditFailure: 'continue' })
    wire.recorder.behave = 'refuse'
    wire.send(request('resources/read', { uri: 'note:one' }))
    assert.equal((await wire.next()).error, undefined)
    await wire.close()
  })
})

describe('how a judged request ends', () => {
  it('is recorded when the server answers with an error', async () => {
    const wire = openWire({ gate: denyingGate([]) })
    wire.send(request('prompts/get', { name: 'fail' }))
    await wire.next()
    await wire.close()
    const [error] = wire.recorder.ofType('tool_call_error')
    const [decision] = decisionsOf(wire.recorder.events)
    assert.deepEqual([error?.error_type, error?.error_code, error?.correlation_id], ['rpc_error', -32050, decision?.correlation_id])
  })

  it('is recorded when the server dies', async () => {
    const wire = openWire({ gate: denyingGate([]) })
    wire.send(request('prompts/get', { name: 'die' }))
    assert.equal((await wire.next()).error?.code, -32000)
    await wire.exit
    assert.deepEqual(
      wire.recorder.ofType('tool_call_error').map(({ error_type, method }) => [error_type, method]),
      [['server_exited', 'prompts/get']],
    )
  })

  it('is recorded when the client no longer wants it', async () => {
    const wire = openWire({ gate: denyingGate([]) })
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } }
    wire.send(request('prompts/get', { name: 'hang' }), cancel)
    await wire.close()
    assert.deepEqual(
      wire.recorder.ofType('tool_call_error').map(({ error_type, error }) => [error_type, error]),
      [['cancelled', 'enough']],
    )
  })
})
