/** OTLP in: what spans of the known conventions become, what is refused, and that nothing is doubled or lost silently. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { createRecorder, openPortHere, type Recorder, SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { count } from '../../../testkit/src/suite.ts'
import { attribute, encodeSpans, FORMS, openRoom, type SpanSketch, spansOf, TYPES } from './support/otlp.ts'

const TOOL = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'read_file' }
const SECRET = 'hunter2-hunter2'

async function eventsOf(sketches: readonly SpanSketch[]) {
  const room = openRoom()
  const response = await room.post(encodeSpans(spansOf(sketches), 'json'))
  assert.equal(response.status, 200)
  return { events: room.port.events(), told: await response.json() }
}

const eventOf = async (sketch: SpanSketch) => (await eventsOf([sketch])).events[0]

describe('spans', () => {
  test('a tool span is the outcome of a call, reported, with its own time, ids and duration', async () => {
    const call = { 'gen_ai.tool.call.id': 'c-1', 'gen_ai.conversation.id': 's-1', 'gen_ai.agent.name': 'billing', 'user.id': 'alice' }
    const content = { 'gen_ai.tool.call.arguments': '{"path":"/etc/hosts"}', 'gen_ai.tool.call.result': 'ok' }
    const [span] = spansOf([{ name: 'execute_tool read_file', attributes: { ...TOOL, ...call, ...content, extra: 7 } }])
    const room = openRoom()
    await room.post(encodeSpans([span!], 'protobuf'), { form: 'protobuf' })
    const { traceId, spanId } = span!.spanContext()
    assert.partialDeepStrictEqual(room.port.events()[0], {
      event_type: 'tool_call_end',
      timestamp: '2026-01-02T03:04:05.001Z',
      tool: 'read_file',
      arguments: { path: '/etc/hosts' },
      result: 'ok',
      is_error: false,
      duration_ms: 1.5,
      session_id: 's-1',
      user: 'alice',
      user_source: 'header',
      agent_id: 'billing',
      trace_id: traceId,
      span_id: spanId,
      correlation_id: `${traceId}-${spanId}`,
      source: { kind: 'otlp', name: 'agent-sdk', version: '2.0.0', vantage: 'reported' },
      metadata: { call_id: 'c-1', ext: { otlp: { name: 'execute_tool read_file', attributes: { extra: 7 } } } },
    })
    assert.equal(room.port.batches[0]?.[0]?.level, 'sync')
  })

  const model = { provider: 'acme', model: 'm-2', usage: { input_tokens: 11, output_tokens: 7 } }
  const rows: readonly (readonly [name: string, SpanSketch, Readonly<Record<string, unknown>>])[] = [
    [
      'GenAI chat',
      {
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'acme',
          'gen_ai.request.model': 'm-1',
          'gen_ai.response.model': 'm-2',
          'gen_ai.usage.input_tokens': 11,
          'gen_ai.usage.output_tokens': 7,
          'gen_ai.response.finish_reasons': ['stop'],
        },
      },
      { event_type: 'model_response', ...model, finish_reason: 'stop' },
    ],
    [
      'GenAI chat that failed',
      { attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm', 'error.type': 'timeout' }, failed: 'too late' },
      { event_type: 'model_error', model: 'm', error: 'too late', error_type: 'timeout' },
    ],
    [
      'MCP tools/call',
      { attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'search', 'jsonrpc.request.id': '4', 'mcp.session.id': 'm-1' } },
      { event_type: 'tool_call_end', tool: 'search', method: 'tools/call', rpc_id: '4', session_id: 'm-1' },
    ],
    [
      'MCP tools/call whose result says that it is an error',
      { attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'search', 'error.type': 'tool_error' }, failed: 'x' },
      { event_type: 'tool_call_end', is_error: true },
    ],
    [
      'MCP resources/read',
      { attributes: { 'mcp.method.name': 'resources/read', 'mcp.resource.uri': 'file:///a' } },
      { event_type: 'data_access', target: 'file:///a', method: 'resources/read' },
    ],
    [
      'OpenInference TOOL',
      {
        attributes: {
          'openinference.span.kind': 'TOOL',
          'tool.name': 'add',
          'input.value': '{"a":1}',
          'output.value': '2',
          'session.id': 's',
        },
      },
      { event_type: 'tool_call_end', tool: 'add', arguments: { a: 1 }, result: '2', session_id: 's' },
    ],
    [
      'OpenInference LLM',
      {
        attributes: {
          'openinference.span.kind': 'LLM',
          'llm.model_name': 'm-2',
          'llm.provider': 'acme',
          'llm.token_count.prompt': 11,
          'llm.token_count.completion': 7,
        },
      },
      { event_type: 'model_response', ...model },
    ],
    [
      'Traceloop tool',
      { attributes: { 'traceloop.span.kind': 'tool', 'traceloop.entity.name': 'add', 'traceloop.entity.input': '[1]' } },
      { event_type: 'tool_call_end', tool: 'add', arguments: [1] },
    ],
    [
      'AI SDK tool',
      {
        attributes: {
          'ai.operationId': 'ai.toolCall',
          'ai.toolCall.name': 'add',
          'ai.toolCall.args': '{"a":1}',
          'ai.toolCall.result': '2',
        },
      },
      { event_type: 'tool_call_end', tool: 'add', arguments: { a: 1 }, result: '2' },
    ],
    [
      'an agent that answered',
      { attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'b' } },
      { event_type: 'turn_end', agent_id: 'b' },
    ],
    [
      'a tool that threw',
      { attributes: TOOL, exception: new RangeError('too far'), failed: '' },
      { event_type: 'tool_call_error', error: 'too far', error_type: 'RangeError' },
    ],
    ['nobody named', { attributes: TOOL }, { user: 'ci', user_source: 'token' }],
  ]
  for (const [name, sketch, expected] of rows) {
    test(`${name}: ${expected.event_type ?? 'the bearer of the token'}`, async () => {
      assert.partialDeepStrictEqual(await eventOf(sketch), expected)
    })
  }

  test('a secret in the arguments is not recorded, also where they are JSON text', async () => {
    const event = await eventOf({ attributes: { ...TOOL, 'gen_ai.tool.call.arguments': `{"password":"${SECRET}"}`, api_key: SECRET } })
    assert.equal(JSON.stringify(event).includes(SECRET), false)
  })

  test('what is no action of an agent is counted and said, never dropped silently', async () => {
    const { events, told } = await eventsOf([{ attributes: TOOL }, { name: 'GET /' }, { attributes: { 'mcp.method.name': 'tools/list' } }])
    assert.equal(events.length, 1)
    assert.deepEqual(told, {
      partialSuccess: { rejectedSpans: '2', errorMessage: '2 not recorded: neither a call of a tool nor of a model' },
    })
  })

  test('what a recorder of ours exports does not come back: no loop', async () => {
    const room = openRoom()
    const span = {
      traceId: '1'.repeat(32),
      spanId: '1'.repeat(16),
      endTimeUnixNano: '1',
      attributes: [attribute('gen_ai.operation.name', 'chat')],
    }
    const resource = { attributes: [attribute('service.name', 'sworn'), attribute('sworn.origin', 'log.example')] }
    const response = await room.post(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }))
    assert.partialDeepStrictEqual(await response.json(), { partialSuccess: { rejectedSpans: '1' } })
    assert.equal(room.port.batches.length, 0)
  })
})

const attributeValue = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true, noInteger: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(2 ** 53, -(2 ** 60)), // text: no reader of JSON holds the ones beside it
  fc.boolean(),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
)
const sketch = fc.record({
  name: fc.string(),
  attributes: fc
    .dictionary(fc.constantFrom('gen_ai.tool.call.arguments', 'error.type', 'n', '__proto__', 'session.id', 'duration_ms'), attributeValue)
    .map((more) => ({ ...more, ...TOOL })),
})

describe('encodings and resends', () => {
  test('JSON and Protocol Buffers of one span are the same event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sketch, { minLength: 1, maxLength: 4 }), async (sketches) => {
        const spans = spansOf(sketches)
        const [json, packed] = [openRoom(), openRoom()]
        await json.post(encodeSpans(spans, 'json'))
        await packed.post(new Uint8Array(gzipSync(encodeSpans(spans, 'protobuf'))), {
          form: 'protobuf',
          headers: { 'content-encoding': 'gzip' },
        })
        assert.deepEqual(packed.port.events(), json.port.events())
        assert.equal(json.port.events().length, sketches.length)
      }),
      { numRuns: 60 },
    )
  })

  test('whatever order, split and number of times spans come in, each is in the ledger once', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sworn-otlp-'))
    const port = await openPortHere({ path: join(home, 'audit'), home, version: '0.1.0', producerId: 'sworn.http' })
    const recorder = createRecorder({ port })
    const spans = spansOf(Array.from({ length: 6 }, (_, n) => ({ attributes: { ...TOOL, n } })))
    const fresh = new Set<number>()
    const noted: Recorder['record'] = async (event, options) => {
      const answer = await recorder.record(event, options)
      if ('seq' in answer && event.event_type !== 'instrumentation_report') fresh.add(answer.seq)
      return answer
    }
    const room = openRoom({}, noted)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...spans], { minLength: 1 }), fc.constantFrom(...FORMS), async (some, form) => {
        const response = await room.post(encodeSpans(some, form), { form })
        assert.equal(response.status, 200)
      }),
      { numRuns: count({ fast: 3, ci: 20 }), examples: [[[...spans], 'json']] },
    )
    await recorder.close()
    rmSync(home, { recursive: true, force: true })
    assert.equal(fresh.size, spans.length)
  })

  test('what the ledger does not take is 503 and may be sent again; afterwards it is there', async () => {
    const room = openRoom()
    const body = encodeSpans(spansOf([{ attributes: TOOL }]), 'protobuf')
    room.port.fail = new SwornError('APPEND_REFUSED', 'no space left')
    const refused = await room.post(body, { form: 'protobuf' })
    assert.deepEqual([refused.status, refused.headers.get('retry-after'), room.port.batches.length], [503, '1', 0])
    room.port.fail = undefined
    assert.equal((await room.post(body, { form: 'protobuf' })).status, 200)
    assert.equal(room.port.events().length, 1)
  })

  test('no answer comes before the ledger acknowledged', async () => {
    const room = openRoom()
    room.port.hold()
    let answered = false
    const response = room.post(encodeSpans(spansOf([{ attributes: TOOL }]), 'json')).finally(() => {
      answered = true
    })
    while (room.port.batches.length === 0) await new Promise(setImmediate)
    await new Promise(setImmediate)
    assert.equal(answered, false)
    room.port.release()
    assert.equal((await response).status, 200)
  })

  test('partial success in Protocol Buffers is read by the exporter of OpenTelemetry', async () => {
    const response = await openRoom().post(encodeSpans(spansOf([{ name: 'GET /' }]), 'protobuf'), { form: 'protobuf' })
    const told = ProtobufTraceSerializer.deserializeResponse(new Uint8Array(await response.arrayBuffer()))
    assert.equal(Number(told.partialSuccess?.rejectedSpans), 1)
    assert.match(told.partialSuccess?.errorMessage ?? '', /^1 not recorded: neither/)
  })
})

/** A message of `depth` AnyValues within each other, in Protocol Buffers. */
function deepProtobuf(depth: number): Uint8Array<ArrayBuffer> {
  const wrap = (field: number, inner: Uint8Array) =>
    protobuf.Writer.create()
      .uint32((field << 3) | 2)
      .bytes(inner)
      .finish()
  let bytes: Uint8Array = new Uint8Array()
  for (let n = 0; n < depth; n++) bytes = wrap(1, wrap(5, bytes)) // ArrayValue.values, AnyValue.array_value
  const span = wrap(9, wrap(2, bytes)) // Span.attributes, KeyValue.value
  return new Uint8Array(wrap(1, wrap(2, wrap(2, span))))
}

const whole = encodeSpans(spansOf([{ attributes: { ...TOOL, secret: SECRET } }]), 'protobuf')
const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 << 20)))
const json = (value: unknown) => JSON.stringify(value)
const GZIP = { 'content-encoding': 'gzip' }

/** A sum with two data points, as the SDK of OpenTelemetry hands it to its exporters. */
const METRICS = {
  resource: { attributes: {} },
  scopeMetrics: [
    {
      scope: { name: 's' },
      metrics: [
        {
          descriptor: { name: 'a', description: '', unit: '', valueType: 1, advice: {} },
          aggregationTemporality: 1,
          dataPointType: 3,
          isMonotonic: true,
          dataPoints: [1, 2].map((value) => ({ startTime: [0, 0], endTime: [1, 0], attributes: {}, value })),
        },
      ],
    },
  ],
} as unknown as Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0] // its types are in packages that it brings

describe('what is around', () => {
  test('a sender is reported once, before its first event, and again when the ledger did not take it', async () => {
    const room = openRoom()
    const body = encodeSpans(spansOf([{ attributes: TOOL }, { name: 'GET /' }]), 'json')
    room.port.fail = new SwornError('APPEND_REFUSED', 'no space left')
    assert.equal((await room.post(body)).status, 503)
    room.port.fail = undefined
    await room.post(encodeSpans(spansOf([{ name: 'GET /' }]), 'json'))
    assert.deepEqual(room.reports(), [])
    for (let n = 0; n < 3; n++) assert.equal((await room.post(body)).status, 200)
    const [report, ...more] = room.reports()
    assert.deepEqual(more, [])
    assert.partialDeepStrictEqual(report, {
      user: 'ci',
      source: { kind: 'otlp', vantage: 'reported' },
      metadata: { format: 'otlp', can_block: false },
    })
    assert.match(JSON.stringify(report), /"client":"unknown_service[^"]* \(otlp\)".*"sdk":"opentelemetry [^"]*nodejs"/)
  })

  test('metrics are answered with the count of what was not recorded, in the form that was spoken', async () => {
    const room = openRoom()
    const point = { timeUnixNano: '1', asInt: '1' }
    const metrics = [{ name: 'a', sum: { dataPoints: [point, point] } }, { name: 'b', histogram: { dataPoints: [{}] } }, { name: 'c' }]
    const told = await room.post(JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }), { path: '/v1/metrics' })
    assert.deepEqual(
      [told.status, await told.json()],
      [
        200,
        {
          partialSuccess: {
            rejectedDataPoints: '3',
            errorMessage: '3 not recorded: metrics are not recorded, OTEL_METRICS_EXPORTER=none sends none',
          },
        },
      ],
    )
    const packed = await room.post(new Uint8Array(ProtobufMetricsSerializer.serializeRequest(METRICS)!), {
      path: '/v1/metrics',
      form: 'protobuf',
    })
    const { partialSuccess } = ProtobufMetricsSerializer.deserializeResponse(new Uint8Array(await packed.arrayBuffer()))
    assert.deepEqual([packed.status, Number(partialSuccess?.rejectedDataPoints)], [200, 2])
    assert.equal((await room.post('{"resourceMetrics":1}', { path: '/v1/metrics' })).status, 400)
    assert.equal(room.port.batches.length, 0)
  })
})

describe('hostile bodies', () => {
  for (const [name, status, body, asked] of [
    ['no JSON', 400, SECRET, {}],
    ['an array', 400, '[]', {}],
    ['nothing', 400, '', {}],
    ['a member twice', 400, '{"resourceSpans":[],"resourceSpans":[]}', {}],
    ['spans that are text', 400, json({ resourceSpans: SECRET }), {}],
    ['spans that are numbers', 400, json({ resourceSpans: [{ scopeSpans: [{ spans: [1] }] }] }), {}],
    ['attributes that are none', 400, json({ resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: { [SECRET]: 1 } }] }] }] }), {}],
    ['very many empty objects', 400, json({ resourceSpans: [], more: Array(600_000).fill({}) }), {}],
    ['JSON of great depth', 400, '['.repeat(100_000), {}],
    ['Protocol Buffers of great depth', 400, deepProtobuf(10_000), { form: 'protobuf' }],
    ['Protocol Buffers cut short', 400, whole.slice(0, -3), { form: 'protobuf' }],
    ['JSON that says it is Protocol Buffers', 400, '{"resourceSpans":[]}', { form: 'protobuf' }],
    ['a length behind the end', 400, new Uint8Array([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), { form: 'protobuf' }],
    ['very many empty messages', 400, new Uint8Array(600_000).map((_, n) => (n % 2 === 0 ? 0x0a : 0)), { form: 'protobuf' }],
    ['text that is no UTF-8', 400, new Uint8Array([0x0a, 7, 0x12, 5, 0x0a, 3, 0x0a, 1, 0xff]), { form: 'protobuf' }],
    ['gzip that is none', 400, SECRET, { headers: GZIP }],
    ['gzip cut short', 400, new Uint8Array(gzipSync(whole)).slice(0, -9), { form: 'protobuf', headers: GZIP }],
    ['a bomb', 413, bomb, { form: 'protobuf', headers: GZIP }],
    ['more bytes than the bound', 413, ' '.repeat((4 << 20) + 1), {}],
    ['more records than the bound', 413, json({ resourceSpans: [{ scopeSpans: [{ spans: Array(10_001).fill({}) }] }] }), {}],
    ['another encoding', 415, 'x', { headers: { 'content-encoding': 'br' } }],
    ['another type', 415, SECRET, { headers: { 'content-type': 'text/plain' } }],
    ['another method', 405, '', { method: 'GET' }],
    ['another method, and no type', 405, '', { method: 'DELETE', headers: { 'content-type': '' } }],
  ] as const) {
    test(`${name}: ${status}, nothing recorded, nothing repeated`, async () => {
      const room = openRoom()
      const response = await room.post(body, asked)
      const told = await response.text()
      assert.equal(response.status, status, told)
      assert.match(told, /REQUEST_INVALID|JSON_INVALID|JSON_DUPLICATE_MEMBER/)
      assert.equal(told.includes(SECRET), false)
      assert.equal(room.port.batches.length, 0)
    })
  }

  test('whatever bytes come, they are answered with 200 or 400 and never with a fault of ours', async () => {
    const room = openRoom()
    const mangled = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => whole.with(at, byte))
    await fc.assert(
      fc.asyncProperty(fc.oneof(mangled, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
        const response = await room.post(new Uint8Array(bytes), { form: 'protobuf' })
        assert.ok([200, 400].includes(response.status))
        assert.equal(response.headers.get('content-type'), TYPES.protobuf)
      }),
      { numRuns: 300 },
    )
  })

  test('names and ids of any length become an event that fits its bounds', async () => {
    const long = 'x'.repeat(5000)
    const names = [
      'gen_ai.tool.name',
      'gen_ai.agent.name',
      'gen_ai.agent.version',
      'session.id',
      'error.type',
      'user.id',
      'mcp.method.name',
    ]
    const { told } = await eventsOf([{ name: long, attributes: { ...TOOL, ...Object.fromEntries(names.map((name) => [name, long])) } }])
    assert.deepEqual(told, {})
  })
})
