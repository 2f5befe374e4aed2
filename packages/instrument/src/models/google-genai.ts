/**
 * The `@google/genai` SDK: its model calls, one by one, and the tools that it calls by itself.
 *
 * What an application calls are functions of each client, which nobody can replace for all; below them every request
 * goes through two methods of one class. A third one is given the tools before they are used. These are private to the
 * SDK; where they are missing its requests are seen on the wire only. Source: `@google/genai` 2.32.0 and 3.1.0.
 * @module
 */
import type { Adapter, Tools } from '../adapter.ts'
import { covered, isCovered } from '../covered.ts'
import { listAt, memberOf } from '../members.ts'
import type { Method } from '../patches.ts'
import { createCall } from './create-call.ts'
import { gemini } from './gemini.ts'
import { watchTool } from './gemini-tools.ts'
import { describeError, watch } from './stream.ts'

export const googleGenai: Adapter = {
  id: 'google-genai',
  layer: 'sdk',
  facts: {
    sees: '`generateContent` and its stream, also of chats, with usage and the function calls that the model asks for; tools that the SDK calls by itself (automatic function calling)',
    stops: 'tools that the SDK calls by itself, and a model call whose request cannot be recorded',
    misses: 'live sessions, interactions, other endpoints; functions that the application calls itself; tools that are frozen',
  },
  canBlock: () => true,
  targets: [
    {
      pkg: '@google/genai',
      entries: ['@google/genai'],
      tested: [2, 3],
      files: [{ file: /^dist\/(?:node\/|web\/)?index\.[mc]js$/, names: ['Models'] }],
    },
  ],
  patch({ module }, tools) {
    const models = memberOf(module, 'Models', 'prototype') ?? memberOf(module, 'prototype')
    const wraps: Readonly<Record<string, (original: Method) => Method>> = {
      generateContentInternal: (generate) => recordingAnswer(generate, tools),
      generateContentStreamInternal: (generate) => recordingStream(generate, tools),
      processParamsMaybeAddMcpUsage: (prepare) => watchingTools(prepare, tools),
    }
    return Object.entries(wraps)
      .filter(([name, wrap]) => tools.patches.method(models, name, wrap))
      .map(([name]) => `Models.${name}`)
  },
}

/** What is sent, without what only the client needs. */
function bodyOf(params: unknown): Readonly<Record<string, unknown>> {
  const { httpOptions, abortSignal, ...config } = (memberOf(params, 'config') ?? {}) as Record<string, unknown> // an object in every version
  return { model: memberOf(params, 'model'), contents: memberOf(params, 'contents'), config }
}

function recordingAnswer(generate: Method, { guard }: Tools): Method {
  return async function (...args) {
    if (isCovered()) return Reflect.apply(generate, this, args)
    const call = createCall(guard, gemini, bodyOf(args[0]))
    await call.begin()
    try {
      const answer = await covered(() => Reflect.apply(generate, this, args))
      call.end({ status: 'ok', ...gemini.describe(answer) })
      return answer
    } catch (error) {
      call.end(describeError(error))
      throw error
    }
  }
}

function recordingStream(generate: Method, { guard }: Tools): Method {
  return async function (...args) {
    if (isCovered()) return Reflect.apply(generate, this, args)
    const call = createCall(guard, gemini, bodyOf(args[0]))
    await call.begin()
    try {
      const chunks = (await covered(() => Reflect.apply(generate, this, args))) as AsyncIterator<unknown>
      return watch(chunks, gemini.assemble(), call.end)
    } catch (error) {
      call.end(describeError(error))
      throw error
    }
  }
}

function watchingTools(prepare: Method, tools: Tools): Method {
  return function (...args) {
    for (const tool of listAt(args[0], 'config', 'tools')) watchTool(tool, tools)
    return Reflect.apply(prepare, this, args)
  }
}
