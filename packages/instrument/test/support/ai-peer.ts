/** A generation of the AI SDK with a model that calls one tool, as a peer of the adapter contract. @module */
import type { Instrumentation, InstrumentRecorder } from '@sworn/instrument'
import type * as ai7 from 'ai'
import type { MockLanguageModelV4 } from 'ai/test'
import type { AdapterPeer } from '../../../../testkit/src/adapter-contract.ts'

const TYPES = { start: 'tool_call_start', end: 'tool_call_end', error: 'tool_call_error' }
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
  readonly canStop: boolean
  install(recorder: InstrumentRecorder, deciding: object): Promise<Instrumentation>
  /** What is replaced. */
  method(): unknown
}

export function aiPeer({ sdk, Model, canStop, install, method }: Generation): () => Promise<AdapterPeer> {
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
      types: TYPES,
      isJudged: canStop,
      canStop,
      install,
      act: (input) => call('echo', input),
      fail: () => call('fail', 'x'),
      effects: () => effects,
      method,
      close: async () => undefined,
    }
  }
}
