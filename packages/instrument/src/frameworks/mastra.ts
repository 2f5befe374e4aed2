/**
 * Mastra, by the method through which every agent gives its tools to a run: tools of all its sources, with the hooks of
 * the application already around them, so that a call that a hook answers is seen too; and by the one that makes its models.
 *
 * Both are private to the framework; where one is missing it is not patched, and the report says so.
 * Source: spec capture §4.8, `@mastra/core` 1.71.0.
 * @module
 */
import type { Action } from '@sworn/recorder'
import type { Adapter, Tools } from '../adapter.ts'
import { memberOf, present, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { watchModel } from './ai-models.ts'
import { judgedCall } from './judged-call.ts'
import { refusalText } from './refusal.ts'

export const mastra: Adapter = {
  id: 'mastra',
  layer: 'framework',
  facts: {
    sees: 'tools of agents, whichever source they have: their own, MCP, memory, other agents, workflows; model calls of agents, streamed or not, with usage and the tool calls that the model asks for',
    stops: 'tools of agents, and a model call whose request cannot be recorded; the model is told of a refused tool, and the run goes on',
    misses: 'tools that the provider runs, steps of workflows without an agent',
  },
  canBlock: () => true,
  targets: [
    {
      pkg: '@mastra/core',
      entries: ['@mastra/core/agent'],
      tested: [1, 1],
      files: [{ file: /^dist\/agent-[\w-]+\.c?js$/, names: ['Agent'] }],
    },
  ],
  patch({ module }, tools) {
    const agent = memberOf(module, 'Agent', 'prototype')
    const wraps: readonly [string, string, (original: Method) => Method][] = [
      ['Agent', 'wrapToolsWithHooks', (wrap) => judging(wrap, tools)],
      ['models', 'resolveModelConfig', (resolve) => watchingModels(resolve, tools)],
    ]
    return wraps.flatMap(([patched, name, wrap]) => (tools.patches.method(agent, name, wrap) ? [patched] : []))
  },
}

/** Every model that an agent uses, however it was named. */
function watchingModels(resolve: Method, tools: Tools): Method {
  return async function (...args) {
    const model = await Reflect.apply(resolve, this, args)
    watchModel(model, tools)
    return model
  }
}

function judging(wrap: Method, tools: Tools): Method {
  return function (...args) {
    const given = Object.entries(Reflect.apply(wrap, this, args) as Record<string, object>) // as the framework types it
    return Object.fromEntries(given.map(([name, tool]) => [name, judgedTool(name, tool, textAt(this, 'id'), tools)]))
  }
}

/** What the client or the provider runs has no `execute`. */
function judgedTool(name: string, tool: object, agent: string | undefined, tools: Tools): object {
  const execute = memberOf(tool, 'execute')
  if (typeof execute !== 'function') return tool
  const run: Method = (...[input, context, ...rest]) => {
    const ids = { ...present({ agent, call: textAt(context, 'toolCallId') }), ...tools.guard.context() }
    const action: Action = { kind: 'tool', name, input, ids }
    return judgedCall(tools, action, {
      run: (judged) => Reflect.apply(execute, tool, [judged, context, ...rest]),
      refuse: refusalText,
      describe: (output) => ({ status: 'ok', output }),
      answer: (output) => output,
    })
  }
  return { ...tool, execute: run }
}
