/** Mastra and Genkit through the contract, and what is theirs alone. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ADAPTERS, instrument } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import { type AdapterPeer, adapterContract } from '../../../testkit/src/adapter-contract.ts'
import { startFakeModel } from '../../../testkit/src/fake-model.ts'
import { loadPeer, missing } from '../../../testkit/src/peer.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

type Run = (input: never) => Promise<unknown>
interface Part {
  readonly text?: string
  readonly toolRequest?: { readonly name: string; readonly ref?: string; readonly input?: unknown }
  readonly toolResponse?: { readonly output?: unknown }
}
interface Request {
  readonly messages: readonly { readonly role: string; readonly content: readonly Part[] }[]
}
type Answer = (request: Request, options: { sendChunk(chunk: object): void }) => Promise<object>
interface Genkit {
  readonly registry: { registerAction: unknown }
  defineModel(options: object, answer: Answer): unknown
  defineTool(config: object, run: Run): unknown
  dynamicTool(config: object, run: Run): unknown
  generate(options: object): Promise<{ readonly text: string }>
  generateStream(options: object): { readonly stream: AsyncIterable<unknown>; readonly response: Promise<unknown> }
}
interface Peer {
  readonly mastraAgent: {
    Agent: {
      new (config: object): { generate(prompt: string): Promise<{ text: string }> }
      readonly prototype: { wrapToolsWithHooks?: unknown; resolveModelConfig?: unknown }
    }
  }
  readonly mastraTools: { createTool(config: object): unknown }
  readonly genkit: { genkit(options: object): Genkit; z: { any(): unknown; object(shape: object): unknown } }
  readonly genkitRegistry: { Registry: { readonly prototype: { registerAction: unknown } } }
}

const skip = missing('frameworks')
const only = (name: string) => ADAPTERS.filter(({ id }) => id === name)

/** What a tool does in these tests, and how often. */
function tools() {
  const done = { effects: 0 }
  return {
    done,
    async echo({ said }: { said: unknown }) {
      done.effects++
      if (said === 'fail') throw new RangeError('the tool broke')
      return { said }
    },
  }
}

/** What cannot be said in JSON is refused here, instrumented or not: a model could not have asked for it. */
const sayable = (input: unknown): string => JSON.stringify({ said: input })

function mastraTools({ mastraAgent, mastraTools, genkit }: Peer): () => Promise<AdapterPeer> {
  return async () => {
    const { done, echo } = tools()
    const asked = new Map<string, object>()
    const model = await startFakeModel(({ body }) => {
      const messages = body.messages as { role: string; content: unknown }[]
      const last = messages.at(-1)
      if (last?.role === 'tool') return { text: String(last.content) }
      const [key = ''] = /ask \d+/.exec(JSON.stringify(messages)) ?? []
      return { tools: [{ id: 'call_1', name: 'echo', args: { ...asked.get(key) } }] }
    })
    const tool = mastraTools.createTool({
      id: 'echo',
      description: 'says it again',
      inputSchema: genkit.z.object({ said: genkit.z.any() }),
      execute: echo,
    })
    const agent = new mastraAgent.Agent({
      id: 'a',
      name: 'a',
      instructions: 'x',
      model: { id: 'custom/m', url: `${model.url}/v1`, apiKey: 'none' },
      tools: { echo: tool },
    })
    const act = async (input: unknown) => {
      const key = `ask ${asked.size}`
      asked.set(key, JSON.parse(sayable(input)))
      return (await agent.generate(key)).text
    }
    return {
      install: (recorder, deciding) =>
        instrument(recorder, { ...deciding, modules: { '@mastra/core': mastraAgent }, adapters: only('mastra') }),
      act,
      fail: () => act('fail'),
      effects: () => done.effects,
      method: () => mastraAgent.Agent.prototype.wrapToolsWithHooks,
      close: () => model.close(),
    }
  }
}

function mastraModels({ mastraAgent }: Peer): () => Promise<AdapterPeer> {
  return async () => {
    const model = await startFakeModel(({ body }) => {
      const said = (body.messages as { content: unknown }[]).at(-1)?.content
      return said === 'fail' ? { status: 400 } : { text: typeof said === 'string' ? said : JSON.stringify(said) }
    })
    const agent = new mastraAgent.Agent({
      id: 'a',
      name: 'a',
      instructions: 'x',
      model: { id: 'custom/m', url: `${model.url}/v1`, apiKey: 'none' },
    })
    const act = async (input: unknown) => (await agent.generate(typeof input === 'string' ? input : sayable(input))).text
    return {
      install: (recorder, deciding) =>
        instrument(recorder, { ...deciding, modules: { '@mastra/core': mastraAgent }, adapters: only('mastra') }),
      act,
      fail: () => act('fail'),
      effects: () => model.requests.length,
      method: () => mastraAgent.Agent.prototype.resolveModelConfig,
      close: () => model.close(),
    }
  }
}

const installGenkit =
  ({ genkitRegistry }: Peer): AdapterPeer['install'] =>
  (recorder, deciding) =>
    instrument(recorder, { ...deciding, modules: { genkit: genkitRegistry }, adapters: only('genkit') })

/** Its tool is called by a model of the test's own. */
function genkitTools(peer: Peer): () => Promise<AdapterPeer> {
  return async () => {
    const { done, echo } = tools()
    const ai = peer.genkit.genkit({})
    const asked = new Map<string, unknown>()
    ai.defineModel({ name: 'scripted', supports: { tools: true } }, async ({ messages }) => {
      const [answer] = messages.at(-1)?.content.flatMap(({ toolResponse }) => (toolResponse ? [toolResponse.output] : [])) ?? []
      const input = asked.get(messages[0]?.content[0]?.text ?? '')
      const part = answer === undefined ? { toolRequest: { name: 'echo', ref: 'call_1', input } } : { text: JSON.stringify(answer) }
      return { message: { role: 'model', content: [part] }, finishReason: 'stop' }
    })
    ai.defineTool({ name: 'echo', description: 'says it again', inputSchema: peer.genkit.z.any() }, echo as Run)
    const act = async (input: unknown) => {
      sayable(input)
      const key = `ask ${asked.size}`
      asked.set(key, { said: input })
      return (await ai.generate({ model: 'scripted', prompt: key, tools: ['echo'] })).text
    }
    return {
      install: installGenkit(peer),
      act,
      fail: () => act('fail'),
      effects: () => done.effects,
      method: () => peer.genkitRegistry.Registry.prototype.registerAction,
      close: async () => undefined,
    }
  }
}

function genkitModels(peer: Peer): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const ai = peer.genkit.genkit({})
    ai.defineModel({ name: 'echo' }, async ({ messages }) => {
      effects++
      const text = messages[0]?.content[0]?.text ?? ''
      if (text === 'fail') throw new RangeError('the model broke')
      return { message: { role: 'model', content: [{ text }] }, finishReason: 'stop' }
    })
    const act = async (input: unknown) => (await ai.generate({ model: 'echo', prompt: input })).text
    return {
      install: installGenkit(peer),
      act,
      fail: () => act('fail'),
      effects: () => effects,
      method: () => peer.genkitRegistry.Registry.prototype.registerAction,
      close: async () => undefined,
    }
  }
}

if (!skip) {
  const peer = await loadPeer<Peer>('frameworks')
  adapterContract('Mastra 1, tools', mastraTools(peer))
  adapterContract('Mastra 1, models', mastraModels(peer))
  adapterContract('Genkit 1, tools', genkitTools(peer))
  adapterContract('Genkit 1, models', genkitModels(peer))
}

describe('frameworks', { skip }, () => {
  const deny: Gate = {
    policy: {},
    judgeMethod: () => ({ decision: 'allow', reason: '', reasonCode: 'default_allow' }),
    judge: async ({ name, input }) =>
      name === 'remove'
        ? { decision: 'deny', reason: '', reasonCode: 'tool_blocked' }
        : { decision: 'allow', reason: '', reasonCode: 'matched_allowed_tools', input: { ...(input as object), limit: 1 } },
    inspect: (value, direction) => {
      const text = JSON.stringify(value)
      if (direction === 'response' || !text.includes('secret')) return { value, matches: [], blocked: false }
      const match = { pattern: 'test', matchCount: 1, direction, dlpAction: 'mask' as const, redacted: true }
      return { value: JSON.parse(text.replaceAll('secret', 'masked')), matches: [match], blocked: false }
    },
  }

  async function setUp() {
    const port = memoryPort()
    const recorder = createRecorder({ port })
    const peer = await loadPeer<Peer>('frameworks')
    const installed = await installGenkit(peer)(recorder, { gate: deny })
    const events = async () => {
      await recorder.flush()
      return port.events().filter(({ event_type }) => event_type !== 'instrumentation_report')
    }
    return { ai: peer.genkit.genkit({}), z: peer.genkit.z, undo: installed.undo, events }
  }

  test('of two tools that a model asks for at once, the denied one is answered and the other gets what the gate gives it, masked', async () => {
    const { ai, z, undo, events } = await setUp()
    const ran: unknown[] = []
    const answers: unknown[] = []
    ai.defineModel({ name: 'm', supports: { tools: true } }, async ({ messages }) => {
      const given = messages.flatMap(({ content }) => content).flatMap(({ toolResponse }) => (toolResponse ? [toolResponse.output] : []))
      answers.push(...given)
      const content =
        given.length > 0
          ? [{ text: 'done' }]
          : [
              { toolRequest: { name: 'remove', ref: 'c1', input: { id: 1 } } },
              { toolRequest: { name: 'search', ref: 'c2', input: { query: 'secret' } } },
            ]
      return { message: { role: 'model', content }, finishReason: 'stop', usage: { inputTokens: 7, outputTokens: 5 } }
    })
    for (const name of ['remove', 'search'])
      ai.defineTool({ name, description: name, inputSchema: z.any() }, (async (input: unknown) => {
        ran.push([name, input])
        return 'found'
      }) as Run)
    assert.equal((await ai.generate({ model: 'm', prompt: 'go', tools: ['remove', 'search'] })).text, 'done')
    undo()
    assert.deepEqual(ran, [['search', { query: 'masked', limit: 1 }]])
    assert.deepEqual(answers.toSorted(), ['Forbidden (tool_blocked)', 'found'])
    const [, response] = await events()
    assert.deepEqual(
      (response?.result as { tool_calls: { id: string; name: string }[] } | undefined)?.tool_calls.map(({ id, name }) => [id, name]),
      [
        ['c1', 'remove'],
        ['c2', 'search'],
      ],
    )
    assert.deepEqual([response?.usage, response?.finish_reason], [{ input_tokens: 7, output_tokens: 5 }, 'stop'])
  })

  test('a dynamic tool of Genkit is judged like a registered one', async () => {
    const { ai, z, undo, events } = await setUp()
    let runs = 0
    ai.defineModel({ name: 'm', supports: { tools: true } }, async ({ messages }) => {
      const answered = messages.flatMap(({ content }) => content).some(({ toolResponse }) => toolResponse)
      const part = answered ? { text: 'done' } : { toolRequest: { name: 'remove', ref: 'c1', input: { id: 1 } } }
      return { message: { role: 'model', content: [part] }, finishReason: 'stop' }
    })
    const remove = ai.dynamicTool({ name: 'remove', description: 'removes', inputSchema: z.any() }, async () => ++runs)
    assert.equal((await ai.generate({ model: 'm', prompt: 'go', tools: [remove] })).text, 'done')
    undo()
    assert.equal(runs, 0)
    assert.ok((await events()).some(({ decision, tool }) => decision === 'deny' && tool === 'remove'))
  })

  test('a stream of Genkit is one record; broken, it holds what had arrived and says so', async () => {
    const { ai, undo, events } = await setUp()
    ai.defineModel({ name: 'm', apiVersion: 'v2' }, async ({ messages }, { sendChunk }) => {
      for (const text of ['a ', 'story']) sendChunk({ content: [{ text }] })
      if (messages[0]?.content[0]?.text === 'break') throw new RangeError('the model broke')
      return { message: { role: 'model', content: [{ text: 'a story' }] }, finishReason: 'stop' }
    })
    for (const prompt of ['whole', 'break']) {
      const { stream, response } = ai.generateStream({ model: 'm', prompt })
      const settled = response.catch(() => undefined)
      let chunks = 0
      try {
        for await (const _ of stream) chunks++
      } catch {
        // that it breaks is the point
      }
      await settled
      assert.equal(chunks, 2)
    }
    undo()
    const recorded = await events()
    assert.deepEqual(
      recorded.map(({ event_type, result }) => [event_type, result]),
      [
        ['model_request', undefined],
        ['model_response', { content: 'a story' }],
        ['model_request', undefined],
        ['model_error', { content: 'a story' }],
      ],
    )
    assert.equal((recorded[3]?.metadata as { complete?: boolean } | undefined)?.complete, false)
  })
})
