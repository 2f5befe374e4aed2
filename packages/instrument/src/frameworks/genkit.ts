/**
 * Genkit, by its registry: every tool and model is an action that is registered there, and has one function through
 * which whoever uses it runs it.
 *
 * A refused tool answers with text that says so, which the model can read. Source: spec capture §4.8, `genkit` 1.42.0.
 * @module
 */
import { type Action, type Outcome, SwornError } from '@sworn/recorder'
import type { Adapter, Tools } from '../adapter.ts'
import { covered } from '../covered.ts'
import { countAt, listAt, memberOf, textAt } from '../members.ts'
import { createDraft, toAnswer, toOutcome } from '../models/draft.ts'
import { describeError } from '../models/stream.ts'
import type { Method } from '../patches.ts'
import { judgedCall } from './judged-call.ts'
import { refusalText } from './refusal.ts'

export const genkit: Adapter = {
  id: 'genkit',
  layer: 'framework',
  facts: {
    sees: 'tools and model calls, streamed or not, with usage and the tool calls that the model asks for, whoever runs them: `generate`, prompts, flows, agents',
    stops: 'tools, and a model call whose request cannot be recorded; the model is told of a refused tool, and the run goes on',
    misses:
      'tools that the application runs by itself without registering them; retrievers, embedders, models in the background; a stream that is left goes on, and is recorded whole',
  },
  canBlock: () => true,
  targets: [
    { pkg: 'genkit', entries: ['genkit/registry'], tested: [1, 1], files: [{ file: /^lib\/registry\.m?js$/, names: ['Registry'] }] },
    {
      pkg: '@genkit-ai/core',
      entries: ['@genkit-ai/core/registry'],
      tested: [1, 1],
      files: [{ file: /^lib\/registry\.m?js$/, names: ['Registry'] }],
    },
  ],
  patch({ module }, tools) {
    const registry = memberOf(module, 'Registry', 'prototype')
    const wraps: Readonly<Record<string, (original: Method) => Method>> = {
      registerAction: (register) => watchingGiven(register, tools),
      lookupAction: (lookup) => watchingFound(lookup, tools),
    }
    return Object.entries(wraps)
      .filter(([name, wrap]) => tools.patches.method(registry, name, wrap))
      .map(([name]) => `Registry.${name}`)
  },
}

function watchingGiven(register: Method, tools: Tools): Method {
  return function (...args) {
    watchAction(args[1], tools)
    return Reflect.apply(register, this, args)
  }
}

/** Those that were registered before, or by a plugin. */
function watchingFound(lookup: Method, tools: Tools): Method {
  return async function (...args) {
    const action = await Reflect.apply(lookup, this, args)
    watchAction(action, tools)
    return action
  }
}

function watchAction(action: unknown, tools: Tools): void {
  const type = textAt(action, '__action', 'actionType')
  const name = textAt(action, '__action', 'name') ?? 'unknown'
  if (type === 'tool' || type === 'tool.v2') tools.patches.instance(action, 'run', (run) => judgedTool(run, { name, type }, tools))
  if (type === 'model') tools.patches.instance(action, 'run', (run) => recordedModel(run, name, tools))
}

const resultOf = (answer: unknown): unknown => memberOf(answer, 'result')
const answerOf = (result: unknown): unknown => ({ result, telemetry: { traceId: '', spanId: '' } })

function judgedTool(run: Method, { name, type }: { readonly name: string; readonly type: string }, tools: Tools): Method {
  return function (input, ...rest) {
    const action: Action = { kind: 'tool', name, input, ids: tools.guard.context() }
    return judgedCall(tools, action, {
      run: (judged) => Reflect.apply(run, this, [judged, ...rest]),
      refuse: (verdict) => answerOf(type === 'tool' ? refusalText(verdict) : { output: refusalText(verdict) }),
      describe: (answer) => ({ status: 'ok', output: resultOf(answer) }),
      answer: (result, answer) => ({ ...(answer as object), result }),
    })
  }
}

function recordedModel(run: Method, name: string, tools: Tools): Method {
  return async function (request, options, ...rest) {
    const chunks = createChunks()
    const action: Action = { kind: 'model', name, input: request, ids: tools.guard.context() }
    const given = typeof memberOf(options, 'onChunk') === 'function' ? { ...(options as object), onChunk: chunks.watch(options) } : options
    const { verdict, ref } = await tools.guard.begin(action)
    if (verdict.decision !== 'allow') throw new SwornError('ACTION_DENIED', verdict.reasonCode, 'model')
    const startMs = performance.now()
    const end = (outcome: Outcome) => void tools.guard.end(ref, { ...outcome, durationMs: performance.now() - startMs })
    try {
      const answer = await tools.recorder.withContext({ correlation_id: ref }, () =>
        covered(() => Reflect.apply(run, this, [request, given, ...rest])),
      )
      end({ status: 'ok', ...describeModel(resultOf(answer)) })
      return answer
    } catch (error) {
      end({ ...chunks.done(), ...describeError(error) })
      throw error
    }
  }
}

/** What had arrived when a stream broke. */
function createChunks() {
  const draft = createDraft()
  let isBegun = false
  return {
    watch: (options: unknown) => (chunk: unknown) => {
      isBegun = true
      draft.text(textOf(listAt(chunk, 'content')))
      return Reflect.apply(memberOf(options, 'onChunk') as Method, options, [chunk]) // it is a function, see above
    },
    done: (): Partial<Outcome> => (isBegun ? { ...toOutcome([draft.done()], undefined, {}), complete: false } : {}),
  }
}

const textOf = (parts: readonly unknown[]): string => parts.map((part) => textAt(part, 'text') ?? '').join('')

function describeModel(response: unknown): Partial<Outcome> {
  const own = listAt(response, 'message', 'content')
  const parts = own.length > 0 ? own : listAt(response, 'candidates', 0, 'message', 'content')
  const tools = parts
    .map((part) => memberOf(part, 'toolRequest'))
    .filter((request) => request !== undefined)
    .map((request) => ({ id: textAt(request, 'ref'), name: textAt(request, 'name'), arguments: memberOf(request, 'input') }))
  return toOutcome([toAnswer(textOf(parts), tools)], textAt(response, 'finishReason'), {
    inputTokens: countAt(response, 'usage', 'inputTokens'),
    outputTokens: countAt(response, 'usage', 'outputTokens'),
    cachedTokens: countAt(response, 'usage', 'cachedContentTokens'),
  })
}
