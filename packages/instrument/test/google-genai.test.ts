/** The SDK of Gemini, 2 and 3: model calls and the tools that it calls by itself, through the contract; what is its own alone. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as genai3 from '@google/genai'
import { ADAPTERS, instrument } from '@sworn/instrument'
import { createRecorder } from '@sworn/recorder'
import * as genai2 from 'genai2'
import { type AdapterPeer, adapterContract, type StreamingPeer, streamContract } from '../../../testkit/src/adapter-contract.ts'
import { type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

type Genai = typeof genai3

const adapters = ADAPTERS.filter(({ id }) => id === 'google-genai')
const clientOf = ({ GoogleGenAI }: Genai, baseUrl: string) => new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl } })

/** Says back what the last message says; the model's name chooses a fault. */
const echo: Script = ({ body, model }) => {
  const contents = body.contents as { parts: { text?: string }[] }[]
  if (model === 'fails') return { status: 400 }
  return { text: contents.at(-1)?.parts[0]?.text ?? 'no text', ...(model === 'breaks' && { cut: true as const }) }
}

function modelPeer(genai: Genai): () => Promise<StreamingPeer> {
  return async () => {
    const model = await startFakeModel(echo, { deltaChars: 3 })
    const { models } = clientOf(genai, model.url)
    return {
      install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: { '@google/genai': genai }, adapters }),
      act: async (input) => (await models.generateContent({ model: 'm', contents: input as string })).text ?? '',
      fail: () => models.generateContent({ model: 'fails', contents: 'x' }),
      async stream(how) {
        let chunks = 0
        for await (const _ of await models.generateContentStream({ model: how === 'broken' ? 'breaks' : 'm', contents: 'a long story' })) {
          chunks++
          if (how === 'left' && chunks === 2) break
        }
        return chunks
      },
      effects: () => model.requests.length,
      method: () => Reflect.get(genai.Models.prototype, 'generateContentInternal'),
      close: () => model.close(),
    }
  }
}

/** A tool of the application that echoes, or fails where the model asks for that. */
function toolPeer(genai: Genai): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const asked = new Map<string, unknown>()
    const model = await startFakeModel(({ body }) => {
      const contents = body.contents as { parts: { text?: string; functionResponse?: { response: unknown } }[] }[]
      const answers = contents.at(-1)?.parts.map(({ functionResponse }) => functionResponse?.response)
      if (answers?.[0] !== undefined) return { text: JSON.stringify(answers) }
      const input = asked.get(contents[0]?.parts[0]?.text ?? '')
      return { tools: [{ id: 'call_1', name: input === 'fail' ? 'fail' : 'echo', args: { input } }] }
    })
    const tool = {
      tool: async () => ({ functionDeclarations: [{ name: 'echo' }, { name: 'fail' }] }),
      async callTool(calls: { id?: string; name?: string; args?: object }[]) {
        effects++
        if (calls[0]?.name === 'fail') throw new RangeError('the tool broke')
        return calls.map(({ id, name, args }) => ({ functionResponse: { id, name, response: { output: args } } }))
      },
    }
    const { models } = clientOf(genai, model.url)
    const call = async (input: unknown) => {
      JSON.stringify(input) // what the model could not have said is refused here, instrumented or not
      const key = `ask ${asked.size}`
      asked.set(key, input)
      return (await models.generateContent({ model: 'm', contents: key, config: { tools: [tool as never] } })).text ?? ''
    }
    return {
      install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: { '@google/genai': genai }, adapters }),
      act: call,
      fail: () => call('fail'),
      effects: () => effects,
      method: () => Reflect.get(genai.Models.prototype, 'processParamsMaybeAddMcpUsage'),
      close: () => model.close(),
    }
  }
}

const older = genai2 as unknown as Genai // other classes, the same calls
for (const [major, genai] of [[3, genai3] as const, [2, older] as const]) {
  adapterContract(`google-genai ${major}, models`, modelPeer(genai))
  streamContract(`google-genai ${major}, models`, modelPeer(genai))
  adapterContract(`google-genai ${major}, tools`, toolPeer(genai))
}

async function record(
  script: Script,
  act: (client: genai3.GoogleGenAI) => Promise<void>,
  isDenied: (name: string) => boolean = () => false,
) {
  const model = await startFakeModel(script, { deltaChars: 2, splitBytes: 11 })
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const gate = {
    policy: {},
    judgeMethod: () => ({ decision: 'allow' as const, reason: '', reasonCode: 'default_allow' }),
    judge: async ({ name }: { name: string }) => ({
      decision: isDenied(name) ? ('deny' as const) : ('allow' as const),
      reason: '',
      reasonCode: isDenied(name) ? 'tool_blocked' : 'matched_allowed_tools',
    }),
    inspect: (value: unknown) => {
      const text = JSON.stringify(value)
      return { value: text.includes('secret') ? JSON.parse(text.replaceAll('secret', 'masked')) : value, matches: [], blocked: false }
    },
  }
  const { undo } = await instrument(recorder, { modules: { '@google/genai': genai3, fetch }, gate })
  try {
    await act(clientOf(genai3, model.url))
  } finally {
    undo()
    await model.close()
  }
  await recorder.flush()
  return { events: port.events().filter(({ event_type }) => event_type !== 'instrumentation_report'), requests: model.requests }
}

const TOOL = { id: 'call_1', name: 'weather', args: { city: 'Zürich' } }

test('whole or streamed, a response of Gemini has its function calls, usage and why it stopped, and is recorded once', async () => {
  const { events } = await record([{ text: 'let me look', tools: [TOOL] }], async ({ models, chats }) => {
    await models.generateContent({ model: 'm', contents: 'weather?' })
    for await (const _ of await models.generateContentStream({ model: 'm', contents: 'weather?' }));
    await chats.create({ model: 'm' }).sendMessage({ message: 'weather?' })
  })
  assert.deepEqual(
    events.map(({ event_type }) => event_type),
    ['model_request', 'model_response', 'model_request', 'model_response', 'model_request', 'model_response'],
  )
  for (const { result, usage, finish_reason, provider, source } of events.filter(({ event_type }) => event_type === 'model_response')) {
    assert.deepEqual(result, { tool_calls: [{ id: 'call_1', name: 'weather', arguments: TOOL.args }], content: 'let me look' })
    assert.deepEqual(usage, { input_tokens: 7, output_tokens: 5 })
    assert.deepEqual([finish_reason, provider, (source as { name: string }).name], ['STOP', 'gcp.gemini', 'google-genai'])
  }
})

test('of several calls the denied one is answered with a refusal, and the others are made, masked', async () => {
  const calls = ['a', 'b', 'c'].map((name) => ({ id: `call_${name}`, name, args: { say: 'secret' } }))
  const made: unknown[] = []
  const tool = {
    tool: async () => ({ functionDeclarations: calls.map(({ name }) => ({ name })) }),
    async callTool(given: { id?: string; name?: string; args?: object }[]) {
      made.push(given.map(({ name, args }) => [name, args]))
      return given
        .toReversed()
        .map(({ id, name }) => ({ functionResponse: { id, name, response: name === 'c' ? { error: 'no' } : { ok: name } } }))
    },
  }
  const { events, requests } = await record(
    (_, n) => (n === 0 ? { tools: calls } : { text: 'done' }),
    async ({ models }) => {
      assert.equal((await models.generateContent({ model: 'm', contents: 'go', config: { tools: [tool as never] } })).text, 'done')
    },
    (name) => name === 'b',
  )
  const args = { say: 'masked' }
  assert.deepEqual(made, [
    [
      ['a', args],
      ['c', args],
    ],
  ])
  assert.match(JSON.stringify(requests[1]?.body.contents), /Forbidden \(tool_blocked\)/)
  const ends = events.filter(({ event_type }) => /tool_call_(end|error)/.test(String(event_type)))
  assert.deepEqual(
    ends.map(({ tool: name, event_type, result }) => [name, event_type, result]),
    [
      ['a', 'tool_call_end', { ok: 'a' }],
      ['c', 'tool_call_error', { error: 'no' }],
    ],
  )
})

test('keys and headers of a client stand in no record', async () => {
  const secret = `AIza${'a1B2c3D4'.repeat(4)}`
  const { events } = await record([{ status: 401 }], async ({ models }) => {
    const config = { httpOptions: { headers: { 'x-goog-api-key': secret } } }
    await assert.rejects(models.generateContent({ model: 'm', contents: 'x', config }))
  })
  assert.deepEqual(
    events.map(({ event_type }) => event_type),
    ['model_request', 'model_error'],
  )
  assert.ok(!JSON.stringify(events).includes(secret))
})
