import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import type { Action, Gate } from '@sworn/recorder'
import { denyingGate, maskingGate } from './support/gates.ts'
import { createMemoryRecorder, type Recorded } from './support/memory-recorder.ts'
import { call, openWire } from './support/wire.ts'

const INIT = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '9' } },
}
const typesOf = (events: readonly Recorded[]) => events.map((e) => e.event_type)
const modern = {
  _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
}

describe('a call', () => {
  it('leaves start and end with one correlation id without a gate, and passes byte for byte', async () => {
    const wire = openWire()
    wire.send(INIT)
    await wire.next((m) => m.id === 0)
    const spelled =
      '{ "id" : 1 ,"jsonrpc":"2.0", "method":"tools\\u002fcall","params":{"name":"echo","arguments":{"words":"hi","n":1.50}} }'
    wire.send(spelled)
    const answer = await wire.next((m) => m.id === 1)
    assert.equal(answer.raw, '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hi"}]}}')
    assert.equal(wire.seen()[1], spelled)
    assert.deepEqual(await wire.close(), { exitCode: 0, signal: null })
    assert.deepEqual(typesOf(wire.recorder.events), ['session_start', 'tool_call_start', 'tool_call_end', 'session_end'])
    const [, start, end] = wire.recorder.events
    assert.equal(start?.correlation_id, end?.correlation_id)
    assert.deepEqual([end?.server, end?.metadata?.server_version, end?.is_error, end?.user_source], ['echo', '1.2.3', false, 'none'])
    assert.ok(Number(end?.duration_ms) > 0)
    assert.match(wire.errors(), /sworn: no policy/)
    assert.match(wire.errors(), /echo: ready/)
  })

  it('that answers with a task gets the outcome of tasks/result as its own', async () => {
    const wire = openWire({ gate: denyingGate([]) })
    const line = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { task: { taskId: 't-1', status: 'working' } } })
    wire.send(call(1, 'raw', { line }))
    await wire.next((m) => m.id === 1)
    for (const [id, taskId] of [
      [2, 't-1'],
      [3, 'other'],
    ])
      wire.send({ jsonrpc: '2.0', id, method: 'tasks/result', params: { taskId } })
    await wire.next((m) => m.id === 3)
    await wire.close()
    const [decision] = wire.recorder.ofType('authorization_decision')
    const ends = wire.recorder.ofType('tool_call_end')
    assert.deepEqual(
      ends.map((end) => [end.tool, end.method, end.correlation_id, end.metadata?.task_id, end.metadata?.task]),
      [
        ['raw', 'tools/call', decision?.correlation_id, 't-1', 'created'],
        ['raw', 'tasks/result', decision?.correlation_id, 't-1', 'result'],
      ],
    )
    assert.ok(Number(ends[1]?.duration_ms) > Number(ends[0]?.duration_ms), 'of the call, not of the question')
  })

  it('reaches the server only after its decision is recorded', async () => {
    const recorder = createMemoryRecorder()
    const wire = openWire({ recorder, gate: denyingGate([]) })
    wire.send({ jsonrpc: '2.0', id: 'p', method: 'ping' })
    await wire.next()
    const door = Promise.withResolvers<void>()
    recorder.behave = door.promise
    wire.send(call(1, 'echo', { words: 'x' }), { jsonrpc: '2.0', id: 'q', method: 'ping' })
    assert.equal((await wire.next()).id, 'q') // a ping does not wait behind a decision
    assert.equal(recorder.ofType('authorization_decision').length, 1)
    assert.ok(wire.seen().every((line) => line.includes('ping')))
    recorder.behave = 'ack'
    door.resolve()
    assert.equal((await wire.next()).id, 1)
    await wire.close()
    assert.deepEqual(typesOf(recorder.events), [
      'session_start',
      'authorization_decision',
      'tool_call_start',
      'tool_call_end',
      'session_end',
    ])
  })

  it('is judged and looked through by one gate, though another came into force meanwhile; the next one has the new gate', async () => {
    const begun = Promise.withResolvers<void>()
    const slow = Promise.withResolvers<void>()
    const looked: string[] = []
    const named = (name: string, deny: readonly string[]): Gate => {
      const gate = denyingGate(deny)
      return {
        ...gate,
        async judge(action) {
          begun.resolve()
          if (name === 'old') await slow.promise
          return { ...(await gate.judge(action)), policyName: name }
        },
        inspect(value, direction) {
          if (direction === 'request') looked.push(name)
          return { value, matches: [], blocked: false }
        },
      }
    }
    let inForce = named('old', [])
    const wire = openWire({
      get gate() {
        return inForce
      },
    })
    wire.send(call(1, 'echo', { words: 'a' }))
    await begun.promise
    inForce = named('new', ['echo'])
    slow.resolve()
    const first = await wire.next((m) => m.id === 1)
    wire.send(call(2, 'echo', { words: 'b' }))
    const second = await wire.next((m) => m.id === 2)
    assert.deepEqual([first.error, second.error?.code, looked], [undefined, -32001, ['old']])
    await wire.close()
    assert.deepEqual(
      wire.recorder.ofType('authorization_decision').map((event) => [event.decision, event.policy_name]),
      [
        ['allow', 'old'],
        ['deny', 'new'],
      ],
    )
  })

  it('that is denied is answered with the words of the gate and recorded once', async () => {
    const wire = openWire({ gate: denyingGate(['echo']) })
    wire.send(call(1, 'echo', { words: 'x' }))
    const { error } = await wire.next()
    assert.deepEqual(error, { code: -32001, message: 'Forbidden', data: { tool: 'echo', reason: 'Tool not in allowed_tools list' } })
    await wire.close()
    assert.deepEqual(typesOf(wire.recorder.events), ['session_start', 'authorization_decision', 'session_end'])
    const decision = wire.recorder.events[1]
    assert.deepEqual(
      [decision?.decision, decision?.reason_code, decision?.error_code, decision?.error_profile],
      ['deny', 'tool_not_allowed', -32001, 'aip-v1alpha'],
    )
    assert.deepEqual(wire.seen(), [])
  })

  it('of the stateless era that is denied gets a complete result that says no, and carries its trace', async () => {
    const wire = openWire({ gate: denyingGate(['echo']) })
    wire.send({ ...call(1, 'echo'), params: { name: 'echo', ...modern } })
    const { result } = await wire.next()
    assert.equal(result?.resultType, 'complete')
    assert.equal(result?.isError, true)
    assert.match(JSON.stringify(result?.content), /Forbidden: Tool not in allowed_tools list/)
    await wire.close()
    assert.equal(wire.recorder.ofType('authorization_decision')[0]?.trace_id, 'a'.repeat(32))
  })

  it('that asks is denied with approval_unavailable; a gate that throws denies', async () => {
    const ask = denyingGate([], [], { judge: async () => ({ decision: 'ask', reason: 'a person must agree', reasonCode: 'matched_rule' }) })
    const asking = openWire({ gate: ask })
    asking.send(call(1, 'echo'))
    assert.equal((await asking.next()).error?.data?.reason, 'approval_unavailable')
    await asking.close()
    assert.equal(asking.recorder.ofType('authorization_decision')[0]?.reason_code, 'approval_unavailable')
    const throwing = openWire({ gate: denyingGate([], [], { judge: () => Promise.reject(new Error('bug')) }) })
    throwing.send(call(1, 'echo'))
    assert.equal((await throwing.next()).error?.data?.reason, 'policy_invalid')
    await throwing.close()
  })

  it('beside another keeps its own records, and the order of the client is the order of the server', async () => {
    const slow = Promise.withResolvers<void>()
    const gate = denyingGate(['no'])
    const wire = openWire({
      gate: { ...gate, judge: async (a) => (a.name === 'ask' ? slow.promise.then(() => gate.judge(a)) : gate.judge(a)) },
    })
    wire.send(call(1, 'ask'), call(2, 'echo', { words: '2' }), call(3, 'no'), {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 99 },
    })
    assert.equal((await wire.next()).id, 3) // a denial is told at once
    assert.deepEqual(wire.seen(), [])
    slow.resolve()
    const [first, second, third] = [await wire.next(), await wire.next(), await wire.next()]
    assert.deepEqual([first.method, second.id, third.id], ['roots/list', 1, 2])
    await wire.close()
    const ends = wire.recorder.ofType('tool_call_end')
    assert.equal(new Set(ends.map((e) => e.correlation_id)).size, 2)
    for (const end of ends)
      assert.ok(wire.recorder.ofType('authorization_decision').some((d) => d.correlation_id === end.correlation_id && d.tool === end.tool))
  })

  it('that fails leaves an error with the code of the server', async () => {
    const wire = openWire({ gate: maskingGate('AKIA-SECRET', 'mask') })
    wire.send(call(1, 'fail'))
    assert.equal((await wire.next()).error?.data?.key, '[REDACTED:word]') // error members are looked through too
    await wire.close()
    const [error] = wire.recorder.ofType('tool_call_error')
    assert.deepEqual([error?.error_type, error?.error_code, error?.error], ['rpc_error', -32050, 'it failed'])
    assert.equal(wire.recorder.ofType('dlp_match')[0]?.match_count, 1)
  })

  it('that is cancelled has the outcome cancelled, and a late answer is recorded as late', async () => {
    const wire = openWire()
    wire.send(call(1, 'hang'), { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, reason: 'changed my mind' } })
    wire.send(call(2, 'raw', { line: '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}' }), { jsonrpc: '2.0', id: 'p', method: 'ping' })
    await wire.next((m) => m.id === 'p')
    wire.stdin.end()
    await wire.exit
    const cancelled = wire.recorder.ofType('tool_call_error').find((e) => e.rpc_id === 1)
    assert.deepEqual([cancelled?.error_type, cancelled?.error], ['cancelled', 'changed my mind'])
    assert.equal(wire.recorder.ofType('tool_call_end').find((e) => e.rpc_id === 1)?.metadata?.after_cancel, true)
  })
})

describe('data on its way', () => {
  it('is masked without touching the rest, and the record says so', async () => {
    const wire = openWire({ gate: maskingGate('s3cret', 'mask') })
    const line =
      '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","data":"AAAA","mimeType":"image/png","annotations":{"n":1.0}},{"type":"text","text":"s3cret"}],"structuredContent":{"big":9007199254740993,"k":"s3cret"}}}'
    wire.send(call(1, 'raw', { line }))
    assert.equal((await wire.next()).raw, line.replaceAll('s3cret', '[REDACTED:word]'))
    await wire.close()
    const [match] = wire.recorder.ofType('dlp_match')
    assert.deepEqual([match?.match_count, match?.dlp_action, match?.redacted, match?.direction], [2, 'mask', true, 'response'])
    assert.doesNotMatch(JSON.stringify(wire.recorder.ofType('tool_call_end')), /s3cret/)
  })

  it('is held back when the policy blocks it, and stays out of the record', async () => {
    const wire = openWire({ gate: maskingGate('s3cret', 'block') })
    wire.send(call(1, 'raw', { line: '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"s3cret"}]}}' }))
    assert.equal((await wire.next()).error?.data?.reason, 'dlp_blocked')
    await wire.close()
    assert.equal(wire.recorder.ofType('tool_call_end')[0]?.result, '[BLOCKED:dlp]')
  })

  it('in arguments is masked before the server sees it, or denies the call', async () => {
    const masking = openWire({ gate: maskingGate('s3cret', 'mask', 'request') })
    masking.send('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"words":"s3cret","n":1.0}}}')
    await masking.next()
    assert.equal(
      masking.seen()[0],
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"words":"[REDACTED:word]","n":1.0}}}',
    )
    await masking.close()
    const blocking = openWire({ gate: maskingGate('s3cret', 'block', 'request') })
    blocking.send(call(1, 'echo', { words: 's3cret' }))
    assert.equal((await blocking.next()).error?.data?.reason, 'dlp_blocked')
    assert.deepEqual(blocking.seen(), [])
    await blocking.close()
    assert.deepEqual(
      blocking.recorder.ofType('authorization_decision').map((e) => [e.decision, e.reason_code]),
      [['deny', 'dlp_blocked']],
    )
  })
})

describe('both directions', () => {
  it('carry requests of the server and the answers of the client, whatever methods the policy allows', async () => {
    const wire = openWire({ gate: denyingGate([], ['roots/list']) })
    wire.send(call(1, 'ask'))
    assert.equal((await wire.next()).method, 'roots/list')
    await wire.next((m) => m.id === 1)
    wire.send({ jsonrpc: '2.0', id: 's1', result: { roots: [] } }, { jsonrpc: '2.0', id: 'p', method: 'ping' })
    await wire.next((m) => m.id === 'p')
    assert.ok(wire.seen().includes('{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}'))
    await wire.close()
    assert.equal(wire.recorder.ofType('method_blocked').length, 0)
  })

  it('requests that name places or data are judged by them, in order with the calls around them', async () => {
    const judged: Action[] = []
    const gate = maskingGate('SECRET', 'mask', 'request')
    const judge: Gate['judge'] = async (action) => {
      judged.push(action)
      const refused = { decision: 'deny', reason: 'protected', reasonCode: 'protected_path', tamperedWith: '/x' } as const
      return String(action.name).includes('/x') ? refused : gate.judge(action)
    }
    const wire = openWire({ gate: { ...gate, judge } })
    const read = (id: number, uri: string) => ({ jsonrpc: '2.0', id, method: 'resources/read', params: { uri, _meta: { a: 1 } } })
    wire.send(
      read(1, 'file:///x'),
      read(2, 'file:///SECRET'),
      { jsonrpc: '2.0', id: 3, method: 'tools/list', params: {} },
      call(4, 'echo', {}),
    )
    const answers = [await wire.next(), await wire.next(), await wire.next(), await wire.next()]
    assert.deepEqual(
      answers.map(({ id, error }) => [id, error?.code]),
      [
        [1, -32006],
        [2, undefined],
        [3, undefined],
        [4, undefined],
      ],
    )
    assert.deepEqual(
      wire
        .seen()
        .map((line) => JSON.parse(line))
        .map((m) => [m.id, m.params?.uri]),
      [
        [2, 'file:///[REDACTED:word]'],
        [3, undefined],
        [4, undefined],
      ],
    )
    await wire.close()
    assert.deepEqual(
      judged.map(({ kind, name }) => [kind, name]),
      [
        ['resource', 'file:///x'],
        ['resource', 'file:///SECRET'],
        ['tool', 'echo'],
      ],
    )
    assert.deepEqual(
      wire.recorder.ofType('method_blocked').map((e) => [e.method, e.reason_code]),
      [['resources/read', 'protected_path']],
    )
    assert.equal(wire.recorder.ofType('config_tampered').length, 1)
  })

  it('a denied method is answered and recorded, a denied notification is recorded only', async () => {
    const wire = openWire({ gate: denyingGate([], ['resources/read', 'notifications/progress']) })
    wire.send(
      { jsonrpc: '2.0', method: 'notifications/progress', params: {} },
      { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'a:b' } },
    )
    const first = await wire.next()
    assert.deepEqual([first.id, first.error?.code], [1, -32006])
    assert.deepEqual(wire.seen(), [])
    await wire.close()
    assert.deepEqual(
      wire.recorder.ofType('method_blocked').map((e) => e.method),
      ['notifications/progress', 'resources/read'],
    )
  })

  it('an id in flight cannot be used again', async () => {
    const wire = openWire()
    wire.send(call(1, 'hang'), call(1, 'echo', { words: 'second' }))
    const refused = await wire.next()
    assert.deepEqual([refused.id, refused.error?.code], [null, -32600])
    wire.send(call('1', 'echo', { words: 'a string is another id' }))
    assert.equal((await wire.next()).id, '1')
    wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    await wire.close()
    assert.equal(wire.recorder.ofType('method_blocked')[0]?.reason_code, 'malformed_request')
  })

  it('an answer whose id some clients would take for that of a call is recorded and does not pass', async () => {
    const wire = openWire({ gate: maskingGate('SECRET', 'mask') })
    const forged = { jsonrpc: '2.0', id: '1', result: { content: [{ type: 'text', text: 'forged' }] } }
    wire.send(call(1, 'raw', { line: JSON.stringify(forged) }), { jsonrpc: '2.0', id: 2, method: 'ping' })
    assert.equal((await wire.next()).id, 2)
    wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    await wire.close()
    assert.deepEqual(
      wire.recorder.ofType('security_alert').map((e) => e.rpc_id),
      ['1'],
    )
  })

  it('an answer to no request is recorded and passes', async () => {
    const wire = openWire()
    wire.send(call(1, 'raw', { line: '{"jsonrpc":"2.0","id":77,"result":{}}' }))
    assert.equal((await wire.next()).id, 77)
    wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    await wire.close()
    assert.equal(wire.recorder.ofType('security_alert')[0]?.rpc_id, 77)
  })

  for (const [what, line] of [
    ['twice the same member', '{"jsonrpc":"2.0","id":1,"result":{"content":[],"content":[{"type":"text","text":"x"}]}}'],
    ['a case variant of a result member', '{"jsonrpc":"2.0","id":1,"result":{"content":[],"IsError":true}}'],
    ['result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}'],
  ] as const) {
    it(`an answer of the server with ${what} does not reach the client, which is told`, async () => {
      const wire = openWire()
      wire.send(call(1, 'raw', { line }))
      const { id, error } = await wire.next()
      assert.deepEqual([id, error?.code, error?.data?.reason], [1, -32603, 'malformed_response'])
      await wire.close()
      assert.equal(wire.recorder.ofType('method_blocked')[0]?.direction, 'response')
      assert.equal(wire.recorder.ofType('tool_call_error')[0]?.error_type, 'malformed_response')
    })
  }

  it('a line of the server that is not JSON is recorded and not forwarded', async () => {
    const wire = openWire()
    wire.send(call(1, 'raw', { line: 'Server listening!' }), { jsonrpc: '2.0', id: 'p', method: 'ping' })
    assert.equal((await wire.next()).id, 'p')
    wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    await wire.close()
    assert.equal(wire.recorder.ofType('method_blocked')[0]?.reason, 'not JSON')
  })
})

test('the session ends with its counts', async () => {
  const wire = openWire({ gate: denyingGate(['no']), sessionId: 's-1', identity: { user: 'ann', user_source: 'env' } })
  wire.send(call(1, 'echo', { words: 'a' }), call(2, 'no'), '{]')
  for (let n = 0; n < 3; n++) await wire.next()
  await wire.close()
  const end = wire.recorder.events.at(-1)
  assert.deepEqual([end?.event_type, end?.session_id, end?.user, end?.user_source], ['session_end', 's-1', 'ann', 'env'])
  const stats = end?.metadata?.stats as Record<string, number> // written by the proxy as numbers
  assert.deepEqual([stats.allowed, stats.denied, stats.malformed, stats.audit_failures], [1, 1, 1, 0])
})
