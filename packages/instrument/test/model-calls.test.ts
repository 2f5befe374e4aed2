/** What a record of a model call holds, and that an instrumented SDK is the SDK it was. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { type Instrumentation, type InstrumentOptions, instrument } from '@sworn/instrument'
import { createRecorder } from '@sworn/recorder'
import OpenAI, { APIPromise } from 'openai'
import { type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { type MemoryPort, memoryPort } from '../../recorder/test/support/memory-port.ts'

const TOOL = { id: 'call_1', name: 'weather', args: { city: 'Zürich' } }
const turn = { text: 'let me look', tools: [TOOL] }
const question = [{ role: 'user' as const, content: 'weather?' }]

interface Given {
  readonly openai: OpenAI
  readonly anthropic: Anthropic
  readonly events: () => Promise<Record<string, unknown>[]>
  readonly port: MemoryPort
}

async function withSdks(script: Script, act: (given: Given) => Promise<void>, more: InstrumentOptions = {}): Promise<void> {
  const model = await startFakeModel(script, { deltaChars: 2, splitBytes: 11 })
  const port = memoryPort()
  const recorder = createRecorder({ port })
  let installed: Instrumentation | undefined
  try {
    installed = await instrument(recorder, { modules: { openai: OpenAI, '@anthropic-ai/sdk': Anthropic }, ...more })
    const events = async () => {
      await recorder.flush()
      return port.events().filter(({ event_type }) => event_type !== 'instrumentation_report')
    }
    const options = { apiKey: 'none', maxRetries: 0 }
    await act({
      openai: new OpenAI({ ...options, baseURL: `${model.url}/v1` }),
      anthropic: new Anthropic({ ...options, baseURL: model.url }),
      events,
      port,
    })
  } finally {
    installed?.undo()
    await model.close()
  }
}

test('whole or streamed, a response has the tool calls that the model asks for, its usage and why it stopped', () =>
  withSdks([turn], async ({ openai, anthropic, events }) => {
    const stream_options = { include_usage: true }
    await openai.chat.completions.create({ model: 'm', messages: question })
    await openai.chat.completions.stream({ model: 'm', messages: question, stream_options }).finalChatCompletion()
    await openai.responses.create({ model: 'm', input: 'weather?' })
    await openai.responses.stream({ model: 'm', input: 'weather?' }).finalResponse()
    await anthropic.messages.create({ model: 'm', max_tokens: 9, messages: question })
    await anthropic.messages.stream({ model: 'm', max_tokens: 9, messages: question }).finalMessage()
    const responses = (await events()).filter(({ event_type }) => event_type === 'model_response')
    const reasons = ['tool_calls', 'tool_calls', 'completed', 'completed', 'tool_use', 'tool_use']
    assert.deepEqual(
      responses.map(({ finish_reason }) => finish_reason),
      reasons,
    )
    for (const { result, usage, model, provider, metadata } of responses) {
      const { tool_calls, content } = result as { tool_calls: { id: string; name: string; arguments: unknown }[]; content: string }
      const [call] = tool_calls
      const args = typeof call?.arguments === 'string' ? JSON.parse(call.arguments) : call?.arguments
      assert.deepEqual([call?.id, call?.name, args, content, model], ['call_1', 'weather', TOOL.args, 'let me look', 'm'])
      const { input_tokens, output_tokens } = usage as Record<string, number>
      assert.deepEqual([input_tokens, output_tokens], [7, 5])
      assert.match(String(provider), /^(openai|anthropic)$/)
      assert.equal((metadata as { complete?: boolean } | undefined)?.complete, undefined)
    }
  }))

test('the promise of a call is the one of the SDK, and so is what comes out of it', () =>
  withSdks([{ text: 'hello' }], async ({ openai, anthropic, events }) => {
    const chat = openai.chat.completions.create({ model: 'm', messages: question })
    assert.ok(chat instanceof APIPromise)
    const { data, response } = await chat.withResponse()
    assert.deepEqual([data.choices[0]?.message.content, response.status], ['hello', 200])
    const message = anthropic.messages.create({ model: 'm', max_tokens: 9, messages: question })
    assert.equal(message.constructor.name, 'APIPromise')
    assert.equal((await message.withResponse()).response.status, 200)
    const raw = await openai.chat.completions.create({ model: 'm', messages: question }).asResponse()
    assert.equal(JSON.parse(await raw.text()).choices.length, 1)
    const parsed = await openai.chat.completions.parse({ model: 'm', messages: question })
    assert.equal(parsed.choices[0]?.message.content, 'hello')
    const types = (await events()).map(({ event_type }) => event_type)
    assert.deepEqual(types.filter((type) => type === 'model_request').length, 4)
    assert.deepEqual(types.filter((type) => type === 'model_response').length, 3) // nobody parsed the raw one
  }))

test('both halves of a stream that is split in two are whole, and it is one record', () =>
  withSdks([{ text: 'a story in pieces' }], async ({ openai, events }) => {
    const stream = await openai.chat.completions.create({ model: 'm', messages: question, stream: true })
    const texts = await Promise.all(
      stream.tee().map(async (half) => {
        let text = ''
        for await (const chunk of half) text += chunk.choices[0]?.delta.content ?? ''
        return text
      }),
    )
    assert.deepEqual(texts, ['a story in pieces', 'a story in pieces'])
    assert.equal((await events()).filter(({ event_type }) => event_type === 'model_response').length, 1)
  }))

test('the tool runners of the SDKs are recorded call by call', () =>
  withSdks(
    (_, n) => (n % 2 === 0 ? turn : { text: 'it rains' }),
    async ({ openai, anthropic, events }) => {
      const runner = openai.chat.completions.runTools({
        model: 'm',
        messages: question,
        tools: [{ type: 'function', function: { name: 'weather', description: 'of a city', parameters: {}, function: () => 'rain' } }],
      })
      assert.equal(await runner.finalContent(), 'it rains')
      const input_schema = { type: 'object' as const }
      const tools = [{ name: 'weather', input_schema, run: () => 'rain', parse: (input: unknown) => input }]
      const { content } = await anthropic.beta.messages.toolRunner({ model: 'm', max_tokens: 9, messages: question, tools })
      assert.match(JSON.stringify(content), /it rains/)
      const types = (await events()).map(({ event_type }) => event_type)
      assert.deepEqual(types, Array(4).fill(['model_request', 'model_response']).flat())
    },
  ))

test('a request that the SDK cannot make fails as it did, and nobody has to handle a rejection besides', () =>
  withSdks([], async ({ openai, anthropic, port }) => {
    const none = undefined as never
    const unhandled: unknown[] = []
    const notice = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', notice)
    try {
      port.hold() // as long as a disk takes
      const create = [
        () => openai.chat.completions.create(none),
        () => openai.responses.create(none),
        () => anthropic.messages.create(none),
      ]
      const failed = Promise.all(create.map((call) => assert.rejects(async () => call(), TypeError)))
      await new Promise(setImmediate)
      port.release()
      await failed
    } finally {
      process.off('unhandledRejection', notice)
    }
    assert.deepEqual(unhandled, [])
  }))

test('a key never stands in a record', () =>
  withSdks([{ status: 401 }], async ({ openai, anthropic, events }) => {
    const secret = `sk-${'a1B2c3D4'.repeat(5)}`
    await assert.rejects(openai.withOptions({ apiKey: secret }).chat.completions.create({ model: 'm', messages: question }))
    await assert.rejects(anthropic.withOptions({ apiKey: secret }).messages.create({ model: 'm', max_tokens: 9, messages: question }))
    const recorded = await events()
    assert.equal(recorded.filter(({ event_type }) => event_type === 'model_error').length, 2)
    assert.ok(!JSON.stringify(recorded).includes(secret))
  }))

test('a response of a model that has a price has its cost, streamed too', () =>
  withSdks(
    [{ text: 'hello' }],
    async ({ openai, anthropic, events }) => {
      await openai.chat.completions.create({ model: 'm', messages: question })
      await openai.responses.create({ model: 'unknown', input: 'x' })
      await anthropic.messages.stream({ model: 'm', max_tokens: 9, messages: question }).finalMessage()
      const responses = (await events()).filter(({ event_type }) => event_type === 'model_response')
      assert.deepEqual(
        responses.map(({ cost_usd }) => cost_usd),
        [0.000012, undefined, 0.000012],
      )
    },
    { prices: { m: { input: 1, output: 1 } } },
  ))
