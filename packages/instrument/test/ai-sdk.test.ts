/** The AI SDK 6 and 7 through the contract, and what is its own alone. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADAPTERS, aiTelemetry, instrument } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import * as ai7 from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import * as ai6 from 'ai6'
import { MockLanguageModelV3 } from 'ai6/test'
import { adapterContract } from '../../../testkit/src/adapter-contract.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { calling, type Generation, toolPeer, USAGE } from './support/ai-peer.ts'

const aiSdk = ADAPTERS.filter(({ id }) => id === 'ai-sdk')
const registry = () => (globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: unknown[] }).AI_SDK_TELEMETRY_INTEGRATIONS?.length ?? 0

type Of = Pick<Generation, 'sdk' | 'Model'>

const peerOf = (generation: Of) =>
  toolPeer({
    ...generation,
    install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: { ai: generation.sdk }, adapters: aiSdk }),
    method: registry,
  })

adapterContract('AI SDK 7, tools', peerOf({ sdk: ai7, Model: MockLanguageModelV4 }))
const older = { sdk: ai6 as unknown as typeof ai7, Model: MockLanguageModelV3 as unknown as typeof MockLanguageModelV4 } // the same calls
adapterContract('AI SDK 6, tools', peerOf(older))

async function withRecorder(act: (events: () => Promise<Record<string, unknown>[]>) => Promise<void>): Promise<void> {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { coverage, undo } = await instrument(recorder, { adapters: aiSdk })
  try {
    assert.deepEqual(
      coverage.map((one) => [one.package, one.version, one.format, one.tested, one.can_block]),
      [['ai', '7.0.173', 'global', true, true]],
    )
    await act(async () => {
      await recorder.flush()
      return port.events().filter(({ event_type }) => event_type !== 'instrumentation_report')
    })
  } finally {
    undo()
  }
}

test('a model call of 7 has its messages, the tool calls that it asks for and its usage', () =>
  withRecorder(async (events) => {
    const tools = { look: ai7.tool({ inputSchema: ai7.jsonSchema({ type: 'object' }), execute: async () => 'seen' }) }
    await ai7.generateText({ model: calling(MockLanguageModelV4, 'look', () => '{"at":"sea"}'), prompt: 'go', tools, maxRetries: 0 })
    const [request, response, start, end] = await events()
    assert.deepEqual([request?.event_type, request?.model, request?.provider], ['model_request', 'mock-model-id', 'mock-provider'])
    assert.match(JSON.stringify(request?.arguments), /"go".*"look"/)
    assert.deepEqual(response?.result, { tool_calls: [{ id: 'call_1', name: 'look', arguments: { at: 'sea' } }] })
    assert.deepEqual(
      [response?.usage, response?.finish_reason],
      [{ input_tokens: 7, output_tokens: 5, cache_read_tokens: 0 }, 'tool-calls'],
    )
    assert.deepEqual([start?.event_type, start?.tool, end?.result], ['tool_call_start', 'look', 'seen'])
    assert.equal((start?.metadata as { call_id?: string } | undefined)?.call_id, 'call_1')
  }))

test('a streamed answer of 7 is one record, and a model that fails is an error', () =>
  withRecorder(async (events) => {
    const chunks = [
      { type: 'text-start' as const, id: 't' },
      { type: 'text-delta' as const, id: 't', delta: 'hello' },
      { type: 'text-end' as const, id: 't' },
      { type: 'finish' as const, finishReason: { unified: 'stop' as const, raw: 'stop' }, usage: USAGE },
    ]
    const streaming = new MockLanguageModelV4({ doStream: async () => ({ stream: simulateReadableStream({ chunks }) }) })
    assert.equal(await ai7.streamText({ model: streaming, prompt: 'go' }).text, 'hello')
    const failing = new MockLanguageModelV4({
      doGenerate: async () => {
        throw new RangeError('out of order')
      },
    })
    await assert.rejects(ai7.generateText({ model: failing, prompt: 'go', maxRetries: 0 }), RangeError)
    const recorded = await events()
    assert.deepEqual(
      recorded.map(({ event_type }) => event_type),
      ['model_request', 'model_response', 'model_request', 'model_error'],
    )
    assert.deepEqual([recorded[1]?.result, recorded[3]?.error_type], [{ content: 'hello' }, 'RangeError'])
  }))

test('a call that switches telemetry off, or brings its own, is not seen: the page says so', () =>
  withRecorder(async (events) => {
    const tools = { look: ai7.tool({ inputSchema: ai7.jsonSchema({ type: 'object' }), execute: async () => 'seen' }) }
    const call = { prompt: 'go', tools, maxRetries: 0 }
    const model = () => calling(MockLanguageModelV4, 'look', () => '{}')
    await ai7.generateText({ ...call, model: model(), telemetry: { isEnabled: false } })
    await ai7.generateText({ ...call, model: model(), telemetry: { integrations: [] } })
    assert.deepEqual(await events(), [])
  }))

test('a call that holds back what goes in or comes out is recorded without it, and each kind of gap is said once', () =>
  withRecorder(async (events) => {
    const tools = { look: ai7.tool({ inputSchema: ai7.jsonSchema({ type: 'object' }), execute: async () => 'seen' }) }
    for (const telemetry of [{ recordInputs: false }, { recordInputs: false, recordOutputs: false }])
      await ai7.generateText({
        prompt: 'go',
        tools,
        maxRetries: 0,
        model: calling(MockLanguageModelV4, 'look', () => '{"at":"sea"}'),
        telemetry,
      })
    const recorded = await events()
    assert.doesNotMatch(JSON.stringify(recorded.filter(({ event_type }) => event_type === 'model_request')), /"go"/)
    const gaps = recorded.filter(({ event_type }) => event_type === 'observation_gap').map(({ metadata }) => metadata)
    assert.deepEqual(gaps, [
      { reason: 'inputs_withheld', kind: 'model' },
      { reason: 'inputs_withheld', kind: 'tool' },
      { reason: 'outputs_withheld', kind: 'model' },
      { reason: 'outputs_withheld', kind: 'tool' },
    ])
  }))

/** Models may be asked, tools may not run. */
const DENYING_TOOLS: Gate = {
  policy: { name: 'p' },
  judge: async ({ kind }) =>
    kind === 'tool'
      ? { decision: 'deny', reason: 'not listed', reasonCode: 'tool_not_allowed' }
      : { decision: 'allow', reason: 'any', reasonCode: 'default_allow' },
  inspect: (value) => ({ value, matches: [], blocked: false }),
  judgeMethod: () => ({ decision: 'allow', reason: 'any', reasonCode: 'default_allow' }),
}

const looking = (run: () => Promise<string>) => ({ look: ai7.tool({ inputSchema: ai7.jsonSchema({ type: 'object' }), execute: run }) })

test('aiTelemetry records the call that names it, once, beside instrument() too', () =>
  withRecorder(async (events) => {
    const port = memoryPort()
    const recorder = createRecorder({ port })
    const telemetry = { integrations: [aiTelemetry(recorder)] }
    const model = calling(MockLanguageModelV4, 'look', () => '{}')
    await ai7.generateText({ model, prompt: 'go', tools: looking(async () => 'seen'), maxRetries: 0, telemetry })
    await recorder.flush()
    assert.deepEqual(
      port.events().map(({ event_type }) => event_type),
      ['model_request', 'model_response', 'tool_call_start', 'tool_call_end'],
    )
    assert.deepEqual(await events(), [])
  }))

test('aiTelemetry refuses a tool that its gate denies: it does not run', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  let runs = 0
  const model = calling(MockLanguageModelV4, 'look', () => '{}')
  const telemetry = { integrations: [aiTelemetry(recorder, { gate: DENYING_TOOLS })] }
  const tools = looking(async () => `${++runs}`)
  const { content } = await ai7.generateText({ model, prompt: 'go', tools, maxRetries: 0, telemetry })
  await recorder.flush()
  assert.equal(runs, 0)
  assert.ok(content.some(({ type }) => type === 'tool-error'))
  assert.ok(port.events().some(({ decision, tool }) => decision === 'deny' && tool === 'look'))
})
