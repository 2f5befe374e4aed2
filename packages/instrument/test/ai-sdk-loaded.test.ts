/** The AI SDK where the loader binds its functions again: 5 through the contract, and the holes of the others. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADAPTERS, type InstrumentOptions, instrument } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import type * as Ai7 from 'ai'
import type { MockLanguageModelV4 } from 'ai/test'
import { adapterContract } from '../../../testkit/src/adapter-contract.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { aiPeer, calling } from './support/ai-peer.ts'

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
  constructor({ doGenerate }: { doGenerate: () => Promise<{ content: never }> }) {
    super({ doGenerate: async () => ({ content: (await doGenerate()).content, ...ASKED, warnings: [] }) })
  }
}

/** The same calls in each of them. */
const sdks = {
  5: { sdk: (await import('ai5')) as unknown as Sdk, Model: Model5 as unknown as Model },
  6: { sdk: (await import('ai6')) as unknown as Sdk, Model: (await import('ai6/test')).MockLanguageModelV3 as unknown as Model },
  7: { sdk: await import('ai'), Model: (await import('ai/test')).MockLanguageModelV4 },
}
loading.undo()

const install: Parameters<typeof aiPeer>[0]['install'] = async (recorder, deciding) => {
  const installed = await instrument(recorder, { ...deciding, ...options(5) })
  return { ...installed, coverage: installed.coverage.filter(({ version }) => version?.startsWith('5.')) }
}
adapterContract('AI SDK 5, loaded', aiPeer({ ...sdks[5], canStop: true, install, method: () => sdks[5].sdk.generateText }))

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

for (const telemetry of SWITCHES) {
  test(`7: ${telling(telemetry)} is judged, and does not run when it is denied`, async () => {
    assert.deepEqual(await deniedCall(7, telemetry), [['authorization_decision', 'look', 'deny']])
  })

  test(`6: ${telling(telemetry)} is observed, once`, async () => {
    assert.deepEqual(await deniedCall(6, telemetry), [
      ['tool_call_start', 'look', undefined],
      ['tool_call_end', 'look', undefined],
    ])
  })
}

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
