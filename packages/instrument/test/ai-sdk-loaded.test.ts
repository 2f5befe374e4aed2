/** The AI SDK where the loader binds its functions again: each generation through the contract, and what is its own alone. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADAPTERS, type InstrumentOptions, instrument } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import type * as Ai7 from 'ai'
import type { MockLanguageModelV4 } from 'ai/test'
import { adapterContract } from '../../../testkit/src/adapter-contract.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { calling, type Generation, modelPeer, toolPeer, USAGE } from './support/ai-peer.ts'

/** Seen when it is loaded, and in no other way: one generation in one process, as an application has it. */
const only = (major: number) =>
  ADAPTERS.filter(({ id }) => id === 'ai-sdk').map((adapter): (typeof ADAPTERS)[number] => ({
    ...adapter,
    targets: adapter.targets.map(({ isGlobal: _, ...target }) => target),
    patch: (found, tools) => (found.version?.startsWith(`${major}.`) ? adapter.patch(found, tools) : []),
  }))
const options = (major: number): InstrumentOptions => ({ find: 'as_loaded', adapters: only(major) })

const loading = await instrument(createRecorder({ port: memoryPort() }), options(5))
type Sdk = typeof Ai7
type Model = typeof MockLanguageModelV4
const { MockLanguageModelV2 } = await import('ai5/test')
const ASKED = { finishReason: 'tool-calls' as const, usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 } }

/** Says in the words of 5 what the model of the tests says. */
class Model5 extends MockLanguageModelV2 {
  constructor({ doGenerate }: { doGenerate: (options: object) => Promise<{ content: never }> }) {
    super({ doGenerate: async (options) => ({ content: (await doGenerate(options)).content, ...ASKED, warnings: [] }) })
  }
}

/** The same calls in each of them. */
const sdks = {
  5: { sdk: (await import('ai5')) as unknown as Sdk, Model: Model5 as unknown as Model },
  6: { sdk: (await import('ai6')) as unknown as Sdk, Model: (await import('ai6/test')).MockLanguageModelV3 as unknown as Model },
  7: { sdk: await import('ai'), Model: (await import('ai/test')).MockLanguageModelV4 },
}
loading.undo()

for (const major of [5, 6, 7] as const) {
  const install: Generation['install'] = async (recorder, deciding) => {
    const installed = await instrument(recorder, { ...deciding, ...options(major) })
    return { ...installed, coverage: installed.coverage.filter(({ version }) => version?.startsWith(`${major}.`)) }
  }
  const generation = { ...sdks[major], install, method: () => sdks[major].sdk.generateText }
  adapterContract(`AI SDK ${major}, tools, loaded`, toolPeer(generation))
  if (major !== 7) adapterContract(`AI SDK ${major}, models, loaded`, modelPeer(generation))
}

const deny: Gate = {
  policy: {},
  judgeMethod: () => ({ decision: 'allow', reason: '', reasonCode: 'default_allow' }),
  judge: async () => ({ decision: 'deny', reason: '', reasonCode: 'tool_blocked' }),
  inspect: (value) => ({ value, matches: [], blocked: false }),
}

const SWITCHES = [{ isEnabled: false }, { integrations: [] }]
const telling = (telemetry: object): string => `a tool of a call with ${Object.keys(telemetry)[0]} of its own`

/** The records of a call whose tool is denied, wherever a gate is asked. */
async function deniedCall(major: 6 | 7, telemetry: object): Promise<unknown[]> {
  const { sdk, Model } = sdks[major]
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { undo } = await instrument(recorder, { ...options(major), gate: deny })
  const inputSchema = sdk.jsonSchema<object>({ type: 'object' })
  const tools = { look: sdk.tool({ inputSchema, execute: async (_: object): Promise<string> => 'seen' }) }
  const model = calling(Model, 'look', () => '{}')
  await sdk.generateText({ model, prompt: 'go', tools, telemetry, experimental_telemetry: telemetry } as never)
  undo()
  await recorder.flush()
  return port.events().flatMap(({ event_type, tool, decision }) => (tool === undefined ? [] : [[event_type, tool, decision]]))
}

for (const major of [6, 7] as const)
  for (const telemetry of SWITCHES)
    test(`${major}: ${telling(telemetry)} is judged, and does not run when it is denied`, async () => {
      assert.deepEqual(await deniedCall(major, telemetry), [['authorization_decision', 'look', 'deny']])
    })

const PARTS = {
  5: { type: 'finish', finishReason: 'stop', usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 } },
  6: { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE },
}

for (const major of [5, 6] as const)
  test(`${major}: a streamed answer is one record; broken, it holds what had arrived and says so`, async () => {
    const { MockLanguageModelV3 } = await import('ai6/test')
    const port = memoryPort()
    const recorder = createRecorder({ port })
    const { undo } = await instrument(recorder, options(major))
    async function* parts(isBroken: boolean) {
      yield { type: 'stream-start', warnings: [] }
      yield { type: 'text-start', id: 't' }
      for (const delta of ['a long ', 'story']) yield { type: 'text-delta', id: 't', delta }
      if (isBroken) throw new RangeError('cut')
      yield { type: 'text-end', id: 't' }
      yield PARTS[major]
    }
    for (const isBroken of [false, true]) {
      const doStream = async () => ({ stream: ReadableStream.from(parts(isBroken)) }) as never
      const model = major === 5 ? new MockLanguageModelV2({ doStream }) : new MockLanguageModelV3({ doStream })
      const { textStream } = sdks[major].sdk.streamText({ model: model as never, prompt: 'go', maxRetries: 0, onError: () => undefined })
      let said = ''
      try {
        for await (const text of textStream) said += text
      } catch (error) {
        assert.ok(isBroken, String(error))
      }
      assert.equal(said, 'a long story')
    }
    undo()
    await recorder.flush()
    const ends = port.events().filter(({ event_type }) => event_type === 'model_response' || event_type === 'model_error')
    assert.deepEqual(
      ends.map(({ event_type, result, finish_reason, usage, error_type }) => [event_type, result, finish_reason, usage, error_type]),
      [
        [
          'model_response',
          { content: 'a long story' },
          'stop',
          { input_tokens: 7, output_tokens: 5, ...(major === 6 && { cache_read_tokens: 0 }) },
          undefined,
        ],
        ['model_error', { content: 'a long story' }, undefined, undefined, 'RangeError'],
      ],
    )
    assert.equal((ends[1]?.metadata as { complete?: boolean } | undefined)?.complete, false)
  })

test('results that a tool of 5 gives as they grow end with the last one, and the tool keeps its own members', async () => {
  const { sdk, Model } = sdks[5]
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { undo } = await instrument(recorder, options(5))
  class Growing {
    readonly inputSchema = sdk.jsonSchema({ type: 'object' })
    readonly description = 'grows'
    async *execute() {
      yield `${this.description} a little`
      yield `${this.description} much`
    }
  }
  const model = calling(Model, 'grow', () => '{}')
  const { content } = await sdk.generateText({ model, prompt: 'go', tools: { grow: new Growing() as never } })
  undo()
  assert.equal((content as { output?: unknown }[]).at(-1)?.output, 'grows much')
  await recorder.flush()
  assert.equal(port.events().find(({ event_type }) => event_type === 'tool_call_end')?.result, 'grows much')
})
