/** LangChain, the oldest and the newest major, through the contract; LangGraph, agents and the handler beside it. @module */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { ADAPTERS, instrument, langchainHandler } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import { type AdapterPeer, adapterContract, type StreamingPeer, streamContract } from '../../../testkit/src/adapter-contract.ts'
import { loadPeer, missing, peerFolder } from '../../../testkit/src/peer.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { applicationBases, findCopies } from '../src/find.ts'

interface Message {
  readonly content: unknown
  readonly status?: string
}

interface Tool {
  invoke(input: unknown, config?: object): Promise<unknown>
}

/** A model of the test's own, which extends the framework's class. */
interface Model {
  effects: number
  invoke(input: unknown, config?: object): Promise<Message>
  stream(input: unknown, config?: object): Promise<AsyncIterable<unknown>>
}

interface Core {
  readonly tools: {
    tool(run: (input: never, config: never) => unknown, fields: object): Tool
    StructuredTool: { prototype: { call: unknown } }
  }
  readonly models: { BaseChatModel: new (fields: object) => { readonly generate?: unknown } }
  readonly messages: Record<'AIMessage' | 'AIMessageChunk' | 'HumanMessage', new (fields: object) => Message>
  readonly outputs: { ChatGenerationChunk: new (fields: object) => object }
}

interface Agents {
  readonly prebuilt: {
    ToolNode: new (tools: readonly Tool[]) => { invoke(state: object, config?: object): Promise<{ messages: Message[] }> }
    createReactAgent(parts: object): { invoke(state: object, config?: object): Promise<{ messages: Message[] }> }
  }
  readonly langchain: { createAgent(parts: object): { invoke(state: object, config?: object): Promise<{ messages: Message[] }> } }
}

type Peer = Core & Agents & { readonly [K in keyof Core as `${K}0`]: Core[K] }

const adapters = ADAPTERS.filter(({ id }) => id === 'langchain')
const SCHEMA = { type: 'object', properties: {} }
const USAGE = { input_tokens: 7, output_tokens: 5, total_tokens: 12 }

const modulesOf = ({ tools, models }: Core) => ({ '@langchain/core': { ...tools, ...models } })

function toolPeer(core: Core): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const echo = core.tools.tool(
      async (input: object) => {
        effects++
        return String((input as { said?: unknown }).said) // what it is given
      },
      { name: 'echo', description: 'says it again', schema: SCHEMA },
    )
    const failing = core.tools.tool(
      async () => {
        throw new RangeError('the tool broke')
      },
      { name: 'fail', description: 'fails', schema: SCHEMA },
    )
    const call = async (tool: Tool, said: unknown): Promise<string> => {
      const message = (await tool.invoke({ type: 'tool_call', id: 'call_1', name: 'echo', args: { said } })) as Message
      return String(message.content)
    }
    return {
      install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: modulesOf(core), adapters }),
      act: (input) => call(echo, input),
      fail: () => call(failing, 'x'),
      effects: () => effects,
      method: () => core.tools.StructuredTool.prototype.call,
      close: async () => undefined,
    }
  }
}

/** Says back what the last message says, or calls a tool, once. */
function createModel({ models, messages, outputs }: Core, call?: { readonly name: string; readonly args: object }): Model {
  const said = (given: readonly Message[]) => given.at(-1)?.content
  class Echo extends models.BaseChatModel {
    effects = 0
    readonly model = 'echo-1'
    _llmType() {
      return 'echo'
    }
    bindTools() {
      return this
    }
    async _generate(given: readonly Message[]) {
      if (said(given) === 'fails') throw new RangeError('out of order')
      const tool_calls = call && this.effects === 0 ? [{ ...call, id: 'call_1', type: 'tool_call' }] : []
      this.effects++
      const content = typeof said(given) === 'string' ? said(given) : JSON.stringify(said(given))
      const message = new messages.AIMessage({ content, tool_calls, usage_metadata: USAGE, response_metadata: { finish_reason: 'stop' } })
      return { generations: [{ text: content, message }] }
    }
    async *_streamResponseChunks(given: readonly Message[]) {
      this.effects++
      for (const text of ['a ', 'long ', 'story']) {
        yield new outputs.ChatGenerationChunk({ text, message: new messages.AIMessageChunk({ content: text }) })
        if (said(given) === 'breaks' && text === 'long ') throw new RangeError('cut')
      }
      const last = new messages.AIMessageChunk({ content: '', usage_metadata: USAGE })
      yield new outputs.ChatGenerationChunk({ text: '', message: last })
    }
  }
  return new Echo({}) as unknown as Model // extends a class that the test knows by its shape only
}

function modelPeer(core: Core): () => Promise<StreamingPeer> {
  return async () => {
    const model = createModel(core)
    return {
      install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: modulesOf(core), adapters }),
      act: async (input) => String((await model.invoke([new core.messages.HumanMessage({ content: input })])).content),
      fail: () => model.invoke('fails'),
      async stream(how) {
        let pieces = 0
        for await (const _ of await model.stream(how === 'broken' ? 'breaks' : 'go')) {
          pieces++
          if (how === 'left' && pieces === 2) break
        }
        return pieces
      },
      effects: () => model.effects,
      method: () => (core.models.BaseChatModel as { prototype?: { generate: unknown } }).prototype?.generate,
      close: async () => undefined,
    }
  }
}

const GATE: Gate = {
  policy: { name: 'test' },
  judgeMethod: () => ({ decision: 'allow', reason: 'x', reasonCode: 'default_allow' }),
  judge: async ({ name }) => ({ decision: name === 'look' ? 'deny' : 'allow', reason: 'x', reasonCode: 'tool_not_allowed' }),
  inspect: (value) => ({ value, matches: [], blocked: false }),
}

type Event = Readonly<Record<string, unknown>>

describe('LangChain', { skip: missing('langchain') }, async () => {
  if (missing('langchain')) return
  const peer = await loadPeer<Peer>('langchain')
  const newest: Core & Agents = peer
  const oldest: Core = { tools: peer.tools0, models: peer.models0, messages: peer.messages0, outputs: peer.outputs0 }
  for (const [name, core] of [['LangChain 1', newest] as const, ['LangChain 0.3', oldest] as const]) {
    adapterContract(`${name}, tools`, toolPeer(core))
    adapterContract(`${name}, models`, modelPeer(core))
    streamContract(`${name}, models`, modelPeer(core))
  }

  const look = () => newest.tools.tool(async () => 'the sea', { name: 'look', description: 'looks', schema: SCHEMA })
  const withAgent = (gate: Gate | undefined, act: () => Promise<unknown>) => async (): Promise<{ result: unknown; events: Event[] }> => {
    const port = memoryPort()
    const recorder = createRecorder({ port })
    const { undo } = await instrument(recorder, { modules: modulesOf(newest), adapters, ...(gate && { gate }) })
    try {
      const result = await act()
      await recorder.flush()
      return { result, events: port.events().filter(({ event_type }) => event_type !== 'instrumentation_report') }
    } finally {
      undo()
    }
  }
  const state = { messages: [{ role: 'user', content: 'go' }] }
  const thread = { configurable: { thread_id: 'thread-1' } }
  const parts = () => ({ tools: [look()], model: createModel(newest, { name: 'look', args: { at: 'sea' } }) })
  const agents: [string, () => Promise<{ messages: Message[] }>][] = [
    ['createReactAgent', () => newest.prebuilt.createReactAgent({ llm: parts().model, tools: parts().tools }).invoke(state, thread)],
    ['createAgent', () => newest.langchain.createAgent(parts()).invoke(state, thread)],
  ]
  for (const [name, run] of agents) {
    test(`${name}: model, tool and model again, in the thread's session`, async () => {
      const { events } = await withAgent(undefined, run)()
      assert.deepEqual(
        events.map(({ event_type }) => event_type),
        ['model_request', 'model_response', 'tool_call_start', 'tool_call_end', 'model_request', 'model_response'],
      )
      const [request, response, start, end] = events
      assert.deepEqual([request?.model, request?.provider], ['echo-1', 'Echo'])
      assert.deepEqual(response?.result, { tool_calls: [{ id: 'call_1', name: 'look', arguments: { at: 'sea' } }], content: 'go' })
      assert.deepEqual([response?.usage, response?.finish_reason], [{ input_tokens: 7, output_tokens: 5 }, 'stop'])
      assert.deepEqual([start?.tool, start?.arguments, end?.result], ['look', { at: 'sea' }, 'the sea'])
      assert.equal((start?.metadata as { call_id?: string } | undefined)?.call_id, 'call_1')
      assert.deepEqual(new Set(events.map(({ session_id }) => session_id)), new Set(['thread-1']))
    })

    test(`${name}: a refused tool is a message of its own, and the run goes on`, async () => {
      const { result, events } = await withAgent(GATE, run)()
      const { messages } = result as { messages: Message[] }
      assert.deepEqual(
        messages.map(({ content, status }) => [content, status]),
        [
          ['go', undefined],
          ['go', undefined],
          ['Forbidden (tool_not_allowed)', 'error'],
          ['Forbidden (tool_not_allowed)', undefined],
        ],
      )
      assert.ok(!events.some(({ event_type }) => event_type === 'tool_call_start'))
    })
  }

  test('ToolNode: parallel calls, one refused, the other one done', async () => {
    const calls = ['look', 'listen'].map((name) => ({ type: 'tool_call', id: `call_${name}`, name, args: {} }))
    const listen = newest.tools.tool(async () => 'waves', { name: 'listen', description: 'listens', schema: SCHEMA })
    const said = { messages: [new newest.messages.AIMessage({ content: '', tool_calls: calls })] }
    const { result } = await withAgent(GATE, () => new newest.prebuilt.ToolNode([look(), listen]).invoke(said))()
    const { messages } = result as { messages: Message[] }
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['Forbidden (tool_not_allowed)', 'waves'],
    )
  })

  test('seen when it is loaded, in files of its own', async () => {
    const port = memoryPort()
    const recorder = createRecorder({ port })
    const { coverage, undo } = await instrument(recorder, { find: 'as_loaded', adapters })
    const load = createRequire(peerFolder('langchain'))
    const { tool } = load('@langchain/core/tools') as Core['tools'] // the other form: this one was loaded before
    for (const entry of adapters[0]!.targets[0]!.entries) load(entry) // it has one
    await tool(async () => 'seen', { name: 'look', description: 'looks', schema: SCHEMA }).invoke({ at: 'sea' })
    undo()
    await recorder.flush()
    const loaded = coverage.filter(({ format }) => format === 'cjs').flatMap(({ patched }) => patched)
    assert.deepEqual(loaded.toSorted(), ['BaseChatModel', 'BaseLLM', 'StructuredTool'])
    assert.equal(port.events().filter(({ event_type }) => event_type === 'tool_call_start').length, 1)
  })

  test('both forms of it are found where an application can resolve them', async () => {
    const target = adapters[0]!.targets[0]! // it has one
    const found = await findCopies(target, applicationBases(undefined, peerFolder('langchain')))
    assert.deepEqual(found.map(({ format, version }) => `${format} ${version}`).toSorted(), [
      ...target.entries.map(() => 'cjs 1.2.13'),
      ...target.entries.map(() => 'esm 1.2.13'),
    ])
  })

  test('a call without an id is refused with an error', async () => {
    await assert.rejects(withAgent(GATE, () => look().invoke({ at: 'sea' }))(), { code: 'ACTION_DENIED' })
  })

  describe('langchainHandler', () => {
    const withHandler = async (gate: Gate | undefined, act: (callbacks: readonly object[]) => Promise<unknown>) => {
      const port = memoryPort()
      const recorder = createRecorder({ port })
      const result = await act([langchainHandler(recorder, gate ? { gate } : {})]).catch((error: unknown) => error)
      await recorder.flush()
      return { result, events: port.events() }
    }

    test('records a tool and a model, streamed or not', async () => {
      const { events } = await withHandler(undefined, async (callbacks) => {
        await look().invoke({ type: 'tool_call', id: 'call_9', name: 'look', args: { at: 'sea' } }, { callbacks })
        await createModel(newest).invoke('hello', { callbacks })
        for await (const _ of await createModel(newest).stream('go', { callbacks }));
      })
      assert.deepEqual(
        events.map(({ event_type }) => event_type),
        ['tool_call_start', 'tool_call_end', 'model_request', 'model_response', 'model_request', 'model_response'],
      )
      assert.deepEqual([events[0]?.tool, events[0]?.arguments, events[1]?.result], ['look', { at: 'sea' }, 'the sea'])
      assert.deepEqual([events[3]?.result, events[3]?.usage], [{ content: 'hello' }, { input_tokens: 7, output_tokens: 5 }])
      assert.deepEqual([events[5]?.result, events[2]?.model], [{ content: 'a long story' }, 'Echo']) // the class, where a model does not name itself to tracers
    })

    test('refuses a tool, and records one that fails', async () => {
      const refused = await withHandler(GATE, (callbacks) => look().invoke({ at: 'sea' }, { callbacks }))
      assert.equal((refused.result as { code?: string }).code, 'ACTION_DENIED')
      const failing = newest.tools.tool(
        async () => {
          throw new RangeError('the tool broke')
        },
        { name: 'fail', description: 'fails', schema: SCHEMA },
      )
      const { events } = await withHandler(GATE, (callbacks) => failing.invoke({}, { callbacks }))
      assert.deepEqual([events.at(-1)?.event_type, events.at(-1)?.error_type], ['tool_call_error', 'RangeError'])
    })

    test('records nothing twice beside instrument()', async () => {
      const port = memoryPort()
      const recorder = createRecorder({ port })
      const { undo } = await instrument(recorder, { modules: modulesOf(newest), adapters })
      const callbacks = [langchainHandler(recorder)]
      await look().invoke({ at: 'sea' }, { callbacks })
      await createModel(newest).invoke('hello', { callbacks })
      undo()
      await recorder.flush()
      assert.equal(port.events().filter(({ event_type }) => event_type !== 'instrumentation_report').length, 4)
    })
  })
})
