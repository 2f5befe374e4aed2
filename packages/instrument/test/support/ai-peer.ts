/** A generation of the AI SDK with a model that calls one tool, as a peer of the adapter contract. @module */
import type { Instrumentation, InstrumentRecorder } from '@sworn/instrument'
import type * as ai7 from 'ai'
import type { MockLanguageModelV4 } from 'ai/test'
import type { AdapterPeer } from '../../../../testkit/src/adapter-contract.ts'

export const USAGE = {
  inputTokens: { total: 7, noCache: 7, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
}

/** A model that calls one tool, once. */
export function calling(Model: typeof MockLanguageModelV4, toolName: string, input: () => string) {
  return new Model({
    doGenerate: async () => ({
      content: [{ type: 'tool-call', toolCallId: 'call_1', toolName, input: input() }],
      finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
      usage: USAGE,
      warnings: [],
    }),
  })
}

export interface Generation {
  readonly sdk: typeof ai7
  readonly Model: typeof MockLanguageModelV4
  install(recorder: InstrumentRecorder, deciding: object): Promise<Instrumentation>
  /** What is replaced. */
  method(): unknown
}

export function toolPeer({ sdk, Model, install, method }: Generation): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const inputSchema = sdk.jsonSchema<object>({ type: 'object' })
    const tools = {
      echo: sdk.tool({
        inputSchema,
        execute: async (input: object): Promise<string> => {
          effects++
          return JSON.stringify(input)
        },
      }),
      fail: sdk.tool({
        inputSchema,
        execute: async (_: object): Promise<string> => {
          throw new RangeError('the tool broke')
        },
      }),
    }
    const call = async (name: string, input: unknown) => {
      const model = calling(Model, name, () => JSON.stringify({ input }))
      const { content } = await sdk.generateText({ model, prompt: 'go', tools, maxRetries: 0 })
      return content
        .map((part) => (part.type === 'tool-error' ? String(part.error) : part.type === 'tool-result' ? part.output : ''))
        .join('')
    }
    return {
      install,
      act: (input) => call('echo', input),
      fail: () => call('fail', 'x'),
      effects: () => effects,
      method,
      close: async () => undefined,
    }
  }
}

/** A model that says back what it is asked. */
export function modelPeer({ sdk, Model, install, method }: Generation): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const model = new Model({
      doGenerate: async ({ prompt }) => {
        effects++
        const text = textOf(prompt)
        if (text === 'fail') throw new RangeError('the model broke')
        return { content: [{ type: 'text', text }], finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE, warnings: [] }
      },
    })
    const ask = async (prompt: unknown) => (await sdk.generateText({ model, prompt: prompt as string, maxRetries: 0 })).text
    return {
      install,
      act: ask,
      fail: () => ask('fail'),
      effects: () => effects,
      method,
      close: async () => undefined,
    }
  }
}

/** What the user said, as the SDK hands it to a model. */
function textOf(prompt: readonly { readonly content: unknown }[]): string {
  return (prompt.at(-1)?.content as readonly { readonly text: string }[] | undefined)?.[0]?.text ?? ''
}
