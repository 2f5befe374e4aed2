/** OTLP in: what the log records of coding agents become, and what their counting shows to be missing. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { SwornError } from '@sworn/recorder'
import { type LogSketch, logsOf, openRoom, spansOf } from './support/otlp.ts'

const SESSION = { 'session.id': 's-1', 'user.email': 'alice@example.com' }
const claude = (name: string, attributes: LogSketch['attributes'] = {}): LogSketch => ({
  body: `claude_code.${name}`,
  attributes: { 'event.name': name, ...SESSION, ...attributes },
})
const codex = (name: string, attributes: LogSketch['attributes'] = {}): LogSketch => ({
  attributes: { 'event.name': `codex.${name}`, 'conversation.id': 's-2', 'app.version': '0.169.0', ...attributes },
})
const gemini = (name: string, attributes: LogSketch['attributes'] = {}): LogSketch => ({
  eventName: `gemini_cli.${name}`,
  attributes: { 'session.id': 's-3', ...attributes },
})

async function eventOf(record: LogSketch) {
  const room = openRoom()
  assert.deepEqual(await room.logs([record]), {})
  return room.port.events()[0]
}

describe('log records', () => {
  const tokens = { input_tokens: '11', output_tokens: '7', cache_read_tokens: '5', cache_creation_tokens: '3' }
  const usage = { input_tokens: 11, output_tokens: 7, cache_read_tokens: 5 }
  for (const [name, record, expected] of [
    [
      'Claude Code tool_result',
      claude('tool_result', { tool_name: 'Bash', tool_use_id: 'c-1', success: 'true', duration_ms: '12', tool_input: '{"command":"ls"}' }),
      {
        event_type: 'tool_call_end',
        timestamp: '2026-01-02T03:04:05.000Z',
        tool: 'Bash',
        arguments: { command: 'ls' },
        duration_ms: 12,
        session_id: 's-1',
        user: 'alice@example.com',
        agent_id: 'claude-code',
        source: { kind: 'otlp', vantage: 'reported' },
        metadata: { call_id: 'c-1' },
      },
    ],
    [
      'Claude Code tool_result that failed',
      claude('tool_result', { tool_name: 'Bash', success: 'false', error: 'exit 1' }),
      { event_type: 'tool_call_error', error: 'exit 1' },
    ],
    [
      'Claude Code api_request',
      claude('api_request', { model: 'm-1', cost_usd: '0.25', duration_ms: '900', ...tokens }),
      { event_type: 'model_response', model: 'm-1', cost_usd: 0.25, usage: { ...usage, cache_write_tokens: 3 } },
    ],
    [
      'Claude Code api_error',
      claude('api_error', { model: 'm-1', error: 'overloaded' }),
      { event_type: 'model_error', error: 'overloaded' },
    ],
    [
      'Claude Code user_prompt',
      claude('user_prompt', { prompt: 'list my files', prompt_length: '13' }),
      { event_type: 'user_prompt', metadata: { prompt: 'list my files' } },
    ],
    [
      'Claude Code tool_decision by a rule',
      claude('tool_decision', { tool_name: 'Bash', decision: 'accept', source: 'config' }),
      { event_type: 'authorization_decision', decision: 'allow', reason: 'decided by the agent, source config' },
    ],
    [
      'Claude Code tool_decision by a person',
      claude('tool_decision', { tool_name: 'Bash', decision: 'reject', source: 'user_reject' }),
      { event_type: 'authorization_decision', decision: 'deny', reason_code: 'human_denied', human_decision: { approved: false } },
    ],
    [
      'Codex conversation_starts',
      codex('conversation_starts', { provider_name: 'openai' }),
      { event_type: 'session_start', session_id: 's-2' },
    ],
    ['Codex user_prompt', codex('user_prompt', { prompt: 'hello' }), { event_type: 'user_prompt', metadata: { prompt: 'hello' } }],
    [
      'Codex tool_decision',
      codex('tool_decision', { tool_name: 'exec_command', call_id: 'c-2', decision: 'approved_for_session', source: 'User' }),
      { event_type: 'authorization_decision', decision: 'allow', reason_code: 'human_approved', tool: 'exec_command' },
    ],
    [
      'Codex tool_result',
      codex('tool_result', { tool_name: 'exec_command', call_id: 'c-2', arguments: '{"cmd":"ls"}', output: 'a', success: 'true' }),
      { event_type: 'tool_call_end', arguments: { cmd: 'ls' }, result: 'a', metadata: { call_id: 'c-2' } },
    ],
    [
      'Codex sse_event that completes a response',
      codex('sse_event', {
        'event.kind': 'response.completed',
        model: 'm-2',
        input_token_count: 11,
        output_token_count: 7,
        cached_token_count: 5,
        cache_write_token_count: '3',
      }),
      { event_type: 'model_response', model: 'm-2', usage },
    ],
    [
      'Gemini tool_call',
      gemini('tool_call', { function_name: 'read_file', function_args: '{"path":"a"}', success: true, duration_ms: 3 }),
      { event_type: 'tool_call_end', tool: 'read_file', arguments: { path: 'a' }, duration_ms: 3 },
    ],
    [
      'Gemini api_response',
      gemini('api_response', { model: 'g', input_token_count: 2 }),
      { event_type: 'model_response', usage: { input_tokens: 2 } },
    ],
  ] as const) {
    test(`${name}: ${expected.event_type}`, async () => {
      assert.partialDeepStrictEqual(await eventOf(record), expected)
    })
  }

  test('a record in Protocol Buffers, as the SDK of OpenTelemetry writes it, is the same as in JSON', async () => {
    const [span] = spansOf([{}])
    const { attributes } = claude('tool_result', { tool_name: 'Bash', duration_ms: 3 })
    const record = {
      hrTime: [1767323045, 0],
      hrTimeObserved: [1767323046, 0],
      body: 'claude_code.tool_result',
      attributes,
      droppedAttributesCount: 2,
    }
    const whole = { ...record, resource: span!.resource, instrumentationScope: span!.instrumentationScope }
    const [packed, text] = [openRoom(), openRoom()]
    await packed.post(new Uint8Array(ProtobufLogsSerializer.serializeRequest([whole as never])!), { path: '/v1/logs', form: 'protobuf' }) // what it reads of a record
    await text.post(new Uint8Array(JsonLogsSerializer.serializeRequest([whole as never])!), { path: '/v1/logs' })
    const [[one], [other]] = [packed.port.events(), text.port.events()]
    assert.partialDeepStrictEqual(one, { tool: 'Bash', duration_ms: 3, metadata: { ext: { otlp: { dropped_attributes: 2 } } } })
    assert.deepEqual({ ...one, event_id: '', correlation_id: '' }, { ...other, event_id: '', correlation_id: '' })
  })

  test('a decision and what came of the call carry one correlation_id; another session has another', async () => {
    const room = openRoom()
    const call = { tool_name: 'exec_command', call_id: 'c-1' }
    const decided = codex('tool_decision', { ...call, decision: 'approved', source: 'Config' })
    await room.logs([
      decided,
      codex('tool_result', { ...call, success: 'true' }),
      claude('tool_result', { tool_name: 'x', tool_use_id: 'c-1' }),
    ])
    const [first, second, other] = room.port.events().map(({ correlation_id }) => correlation_id)
    assert.deepEqual([second === first, other === first], [true, false])
  })

  test('what is not known is counted by its reason', async () => {
    const told = await openRoom().logs([
      { body: 'a line of a log' },
      codex('sse_event', { 'event.kind': 'response.completed', duration_ms: '0' }), // the other one of the two tells the tokens
      claude('tool_decision', { tool_name: 'Bash', decision: 'perhaps' }),
      { ...claude('user_prompt'), time: '0' },
    ])
    assert.deepEqual(told, {
      partialSuccess: {
        rejectedLogRecords: '4',
        errorMessage:
          '2 not recorded: no record of a coding agent that is known; 1 not recorded: a decision in an unknown word; 1 not recorded: no time',
      },
    })
  })

  test('a request that comes again has the same ids, and the same bytes', async () => {
    const room = openRoom()
    for (let n = 0; n < 2; n++)
      await room.logs([claude('tool_result', { tool_name: 'Bash' }), claude('tool_result', { tool_name: 'Read' })])
    const [, a, b, again, more] = room.port.batches.flat() // first the report of the sender
    assert.deepEqual([again?.json, more?.json], [a?.json, b?.json])
    assert.notEqual(a?.eventId, b?.eventId)
  })
})

describe('counting', () => {
  const numbered = (...numbers: readonly number[]) => numbers.map((n) => claude('user_prompt', { 'event.sequence': n, prompt: `p${n}` }))
  const gapsOf = (room: ReturnType<typeof openRoom>) =>
    room.port
      .events()
      .filter(({ event_type }) => event_type === 'observation_gap')
      .map(({ session_id, metadata }) => [session_id, metadata])

  test('a number that is left out is a gap, recorded once, with how many are missing', async () => {
    const room = openRoom()
    await room.logs(numbered(4, 5))
    await room.logs(numbered(9, 10))
    await room.logs(numbered(9, 10))
    assert.deepEqual(gapsOf(room), [['s-1', { reason: 'event.sequence', from: 5, to: 9, dropped: 3 }]])
  })

  test('order within a request, repetition and other sessions are none; records that are not known count too', async () => {
    const room = openRoom()
    await room.logs(numbered(2, 1, 3))
    await room.logs(numbered(1, 2))
    await room.logs([{ ...claude('something_new', { 'event.sequence': 4 }) }, ...numbered(5)])
    await room.logs([claude('user_prompt', { 'session.id': 's-9', 'event.sequence': 100 })])
    assert.deepEqual(gapsOf(room), [])
  })

  test('another token hides no gap of a session by counting ahead, and makes none', async () => {
    const room = openRoom()
    await room.logs(numbered(1))
    await room.post(logsOf(numbered(1_000_000)), { path: '/v1/logs', producer: 'mallory' })
    await room.logs(numbered(3))
    assert.deepEqual(gapsOf(room), [['s-1', { reason: 'event.sequence', from: 1, to: 3, dropped: 1 }]])
  })

  test('a gap whose request the ledger did not take is found again when that request comes again', async () => {
    const room = openRoom()
    await room.logs(numbered(1))
    room.port.fail = new SwornError('APPEND_REFUSED', 'no space left')
    assert.equal((await room.post(logsOf(numbered(3)), { path: '/v1/logs' })).status, 503)
    room.port.fail = undefined
    await room.logs(numbered(3))
    assert.equal(gapsOf(room).length, 1)
  })
})
