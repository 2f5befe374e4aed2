import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { denyingGate } from './support/gates.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { call, openWire } from './support/wire.ts'

const PING = { jsonrpc: '2.0', id: 'p', method: 'ping' }

describe('when the ledger cannot be written', () => {
  for (const gate of [undefined, denyingGate([])]) {
    it(`a call is refused and the server is untouched, ${gate === undefined ? 'without' : 'with'} a gate`, async () => {
      const wire = openWire(gate === undefined ? {} : { gate })
      wire.recorder.behave = 'refuse'
      wire.send(call(1, 'echo', { words: 'x' }))
      const { error } = await wire.next()
      assert.deepEqual([error?.code, error?.data], [-32603, { tool: 'echo', reason: 'audit_unavailable' }])
      wire.send(PING)
      await wire.next((m) => m.id === 'p')
      assert.ok(wire.seen().every((l) => l.includes('ping')))
      wire.recorder.behave = 'ack'
      wire.send(call(2, 'echo', { words: 'back' }))
      assert.equal((await wire.next()).id, 2)
      await wire.close()
      assert.match(wire.errors(), /sworn: the audit log cannot be written: .+\n(?:.*\n)*sworn: the audit log is written again\n/)
    })
  }

  it('a denial stays a denial', async () => {
    const wire = openWire({ gate: denyingGate(['echo']) })
    wire.recorder.behave = 'refuse'
    wire.send(call(1, 'echo'))
    assert.equal((await wire.next()).error?.code, -32001)
    await wire.close()
  })

  it('a record that comes too late refuses the call, and a later one says that it was not executed', async () => {
    const wire = openWire({ gate: denyingGate([]), ackTimeoutMs: 20 })
    const door = Promise.withResolvers<void>()
    wire.recorder.behave = door.promise
    wire.send(call(1, 'echo', { words: 'x' }))
    assert.equal((await wire.next()).error?.data?.reason, 'audit_unavailable')
    assert.equal(wire.recorder.ofType('tool_call_error').length, 0)
    wire.recorder.behave = 'ack'
    door.resolve()
    await wire.close()
    const [decision] = wire.recorder.ofType('authorization_decision')
    const [error] = wire.recorder.ofType('tool_call_error')
    assert.deepEqual(
      [error?.error_type, error?.reason_code, error?.correlation_id],
      ['not_executed', 'audit_unavailable', decision?.correlation_id],
    )
    assert.equal(wire.recorder.ofType('tool_call_start').length, 0)
  })

  it('an unknown outcome is followed by not_executed; an acknowledgement that is not durable does not count', async () => {
    const wire = openWire()
    wire.recorder.behave = 'unknown'
    wire.send(call(1, 'echo'))
    assert.equal((await wire.next()).error?.data?.reason, 'audit_unavailable')
    await wire.close()
    assert.equal(wire.recorder.ofType('tool_call_error')[0]?.error_type, 'not_executed')
    const recorder = createMemoryRecorder()
    const lazy = openWire({ recorder: { ...recorder, record: async () => ({ seq: 0, entry_hash: '', durable: false }) } })
    lazy.send(call(1, 'echo'))
    assert.equal((await lazy.next()).error?.data?.reason, 'audit_unavailable')
    await lazy.close()
  })

  it('a call whose record the configuration leaves out is refused, and stderr says which', async () => {
    const wire = openWire({ recorder: { ...createMemoryRecorder(), record: async () => ({ filtered: true }) } })
    wire.send(call(1, 'echo'))
    assert.equal((await wire.next()).error?.data?.reason, 'audit_unavailable')
    await wire.close()
    assert.deepEqual(wire.seen(), [])
    assert.match(wire.errors(), /sworn: the audit log cannot be written: audit\.events or audit\.log_level leaves out tool_call_start/)
  })

  it('calls go on with onAuditFailure continue, which is said at the start', async () => {
    const wire = openWire({ onAuditFailure: 'continue' })
    wire.recorder.behave = 'refuse'
    wire.send(call(1, 'echo', { words: 'x' }))
    assert.equal((await wire.next()).id, 1)
    await wire.close()
    assert.match(wire.errors(), /on_audit_failure: continue/)
  })
})

describe('when the server ends', () => {
  for (const [tool, exit] of [
    ['die', { exitCode: 7, signal: null }],
    ['crash', { exitCode: null, signal: 'SIGKILL' }],
  ] as const) {
    it(`by ${tool}, every request in flight is answered and recorded`, async () => {
      const wire = openWire({ gate: denyingGate([]) })
      wire.send(call(1, 'hang'), call(2, tool))
      const [first, second] = [await wire.next(), await wire.next()]
      assert.deepEqual([first.id, first.error?.code, second.id], [1, -32000, 2])
      assert.deepEqual(await wire.exit, exit)
      const errors = wire.recorder.ofType('tool_call_error')
      assert.deepEqual(
        errors.map((e) => [e.rpc_id, e.error_type]),
        [
          [1, 'server_exited'],
          [2, 'server_exited'],
        ],
      )
      assert.equal(errors[0]?.metadata?.exit_code, exit.exitCode)
      assert.equal(wire.recorder.events.at(-1)?.event_type, 'session_end')
    })
  }

  it('a command that cannot be started is an error with its name', async () => {
    await assert.rejects(openWire({ command: '/nonexistent/server' }).exit, { code: 'IO_FAILED', at: '/nonexistent/server' })
  })

  it('a signal for the proxy reaches it', async () => {
    const signals = new EventEmitter()
    const wire = openWire({ signals })
    wire.send(PING)
    await wire.next()
    signals.emit('SIGTERM')
    assert.deepEqual(await wire.exit, { exitCode: null, signal: 'SIGTERM' })
    assert.equal(signals.listenerCount('SIGTERM') + signals.listenerCount('SIGINT'), 0)
  })
})

describe('when the client goes', () => {
  it('a server that ignores its closed stdin is ended with SIGTERM, then SIGKILL', async () => {
    const script =
      'process.on(\'SIGTERM\', () => {}); setInterval(() => {}, 1000); process.stdout.write(\'{"jsonrpc":"2.0","method":"notifications/message"}\\n\')'
    const wire = openWire({ args: ['-e', script], closeGraceMs: 10, termGraceMs: 30 })
    await wire.next()
    assert.deepEqual(await wire.close(), { exitCode: null, signal: 'SIGKILL' })
  })

  it('a call in flight is finished first', async () => {
    const wire = openWire()
    wire.send(call(1, 'echo', { words: 'last' }))
    wire.stdin.end()
    assert.equal((await wire.next()).id, 1)
    assert.deepEqual(await wire.exit, { exitCode: 0, signal: null })
    assert.equal(wire.recorder.ofType('tool_call_end').length, 1)
  })

  it('a broken stdout ends the session', async () => {
    const wire = openWire()
    wire.send(PING)
    await wire.next()
    wire.stdout.destroy(new Error('EPIPE'))
    assert.deepEqual(await wire.exit, { exitCode: 0, signal: null })
    assert.equal(wire.recorder.events.at(-1)?.event_type, 'session_end')
  })
})
