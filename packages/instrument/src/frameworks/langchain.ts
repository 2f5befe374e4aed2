/**
 * LangChain and LangGraph, by the classes that every tool and model of theirs extends.
 *
 * `ToolNode`, `createReactAgent` and `createAgent` call a tool's `invoke`, which calls `call`; a refused call gets a tool
 * message that says so, and the run goes on. Source: spec capture §4.7, `@langchain/core` 0.3.80 and 1.2.13.
 * @module
 */
import type { Adapter } from '../adapter.ts'
import { memberOf } from '../members.ts'
import { recordingGenerate, recordingStream } from './langchain-models.ts'
import { recordingCall } from './langchain-tools.ts'

const MODELS = ['BaseChatModel', 'BaseLLM']

export const langchain: Adapter = {
  id: 'langchain',
  layer: 'framework',
  facts: {
    sees: 'tools, and model calls, streamed or not, with usage and the tool calls that the model asks for; LangGraph, `createReactAgent` and `createAgent` go through them',
    stops: 'tools, and a model call whose request cannot be recorded',
    misses: 'runnables used as tools, tools that the provider runs, `streamEvents` of a model without a version, retrievers',
  },
  canBlock: () => true,
  targets: [
    {
      pkg: '@langchain/core',
      entries: ['@langchain/core/tools', '@langchain/core/language_models/chat_models', '@langchain/core/language_models/llms'],
      tested: [0, 1],
      files: [
        { file: /^dist\/tools\/index\.c?js$/, names: ['StructuredTool'] },
        { file: /^dist\/language_models\/chat_models\.c?js$/, names: ['BaseChatModel'] },
        { file: /^dist\/language_models\/llms\.c?js$/, names: ['BaseLLM'] },
      ],
    },
  ],
  patch({ module }, tools) {
    const { method } = tools.patches
    const models = MODELS.filter((name) => {
      const prototype = memberOf(module, name, 'prototype')
      const isRecorded = method(prototype, 'generate', (generate) => recordingGenerate(generate, tools))
      return isRecorded && method(prototype, '_streamIterator', (stream) => recordingStream(stream, tools))
    })
    const isJudged = method(memberOf(module, 'StructuredTool', 'prototype'), 'call', (call) => recordingCall(call, tools))
    return isJudged ? ['StructuredTool', ...models] : models
  },
}
