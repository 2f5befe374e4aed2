/** The SDKs of OpenAI and Anthropic, each major, through the contract, and what is theirs alone. @module */
import Anthropic from '@anthropic-ai/sdk'
import { ADAPTERS, type Adapter, instrument } from '@sworn/instrument'
import Anthropic0 from 'anthropic0'
import OpenAI from 'openai'
import OpenAI5 from 'openai5'
import OpenAI6 from 'openai6'
import type { CellName } from '../../../testkit/src/adapter-cells.ts'
import { adapterContract, type StreamingPeer, streamContract } from '../../../testkit/src/adapter-contract.ts'
import { type FakeModel, type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'

const adapter = (id: string) => ADAPTERS.filter((one: Adapter) => one.id === id)

/** Says back what the last message says; the model's name chooses a fault. */
const echo: Script = ({ body }) => {
  const said = JSON.stringify(body.input ?? (body.messages as { content: unknown }[] | undefined)?.at(-1)?.content)
  if (body.model === 'fails') return { status: 400 }
  return { text: said, ...(body.model === 'breaks' && { cut: true as const }) }
}

interface Sdk {
  readonly pkg: string
  readonly module: unknown
  readonly prototype: { create: unknown }
  /** Sends `input` to `model` and returns the answer's text. */
  readonly ask: (url: string, model: string, input: unknown) => Promise<string>
  readonly stream: (url: string, model: string) => PromiseLike<AsyncIterable<unknown>>
}

const options = { apiKey: 'none', maxRetries: 0 }
const user = (content: unknown) => [{ role: 'user' as const, content: content as string }] // the tests send more than text

function openaiSdk(Client: typeof OpenAI): Record<'chat' | 'responses', Sdk> {
  const client = (url: string) => new Client({ ...options, baseURL: `${url}/v1` })
  return {
    chat: {
      pkg: 'openai',
      module: { OpenAI: Client },
      prototype: Client.Chat.Completions.prototype,
      ask: async (url, model, input) =>
        (await client(url).chat.completions.create({ model, messages: user(input) })).choices[0]?.message.content ?? '',
      stream: (url, model) => client(url).chat.completions.create({ model, messages: user('a long story'), stream: true }),
    },
    responses: {
      pkg: 'openai',
      module: Client,
      prototype: Client.Responses.prototype,
      ask: async (url, model, input) => (await client(url).responses.create({ model, input: input as string })).output_text,
      stream: (url, model) => client(url).responses.create({ model, input: 'a long story', stream: true }),
    },
  }
}

function anthropicSdk(Client: typeof Anthropic, name: 'messages' | 'beta'): Sdk {
  /** The two resources have types of their own; what is sent and read is the same. */
  const create = async (url: string, body: object): Promise<unknown> => {
    const client = new Client({ ...options, baseURL: url })
    const resource = name === 'beta' ? client.beta.messages : client.messages
    return Reflect.apply(resource.create, resource, [{ max_tokens: 9, ...body }])
  }
  return {
    pkg: '@anthropic-ai/sdk',
    module: { Anthropic: Client },
    prototype: name === 'beta' ? Client.Beta.Messages.prototype : Client.Messages.prototype,
    async ask(url, model, input) {
      const { content } = (await create(url, { model, messages: user(input) })) as Anthropic.Message
      return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    },
    stream: (url, model) => create(url, { model, messages: user('a long story'), stream: true }) as Promise<AsyncIterable<unknown>>,
  }
}

function peerOf(sdk: Sdk, adapterId: string): () => Promise<StreamingPeer> {
  return async () => {
    const model: FakeModel = await startFakeModel(echo, { deltaChars: 3 })
    return {
      install: (recorder, deciding) =>
        instrument(recorder, { ...deciding, modules: { [sdk.pkg]: sdk.module }, adapters: adapter(adapterId) }),
      act: (input) => sdk.ask(model.url, 'm', input),
      fail: () => sdk.ask(model.url, 'fails', 'x'),
      async stream(how) {
        let events = 0
        for await (const _ of await sdk.stream(model.url, how === 'broken' ? 'breaks' : 'm')) {
          events++
          if (how === 'left' && events === 3) break
        }
        return events
      },
      effects: () => model.requests.length,
      method: () => sdk.prototype.create,
      close: () => model.close(),
    }
  }
}

const openais = [[7, OpenAI] as const, [6, OpenAI6 as unknown as typeof OpenAI] as const, [5, OpenAI5 as unknown as typeof OpenAI] as const] // other classes, the same calls
const anthropics = [[1, Anthropic] as const, [0, Anthropic0 as unknown as typeof Anthropic] as const] // as above
const peers: [CellName, () => Promise<StreamingPeer>][] = [
  ...openais.flatMap(([major, Client]): typeof peers => [
    [`openai ${major}, chat completions`, peerOf(openaiSdk(Client).chat, 'openai')],
    [`openai ${major}, responses`, peerOf(openaiSdk(Client).responses, 'openai')],
  ]),
  ...anthropics.flatMap(([major, Client]): typeof peers => [
    [`anthropic ${major}, messages`, peerOf(anthropicSdk(Client, 'messages'), 'anthropic')],
    [`anthropic ${major}, beta messages`, peerOf(anthropicSdk(Client, 'beta'), 'anthropic')],
  ]),
]
for (const [name, makePeer] of peers) {
  adapterContract(name, makePeer)
  streamContract(name, makePeer)
}
