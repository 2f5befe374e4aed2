/**
 * Models with the interface of the AI SDK (`doGenerate`, `doStream`), as an application hands them to `ai` 5 and 6 and to
 * Mastra: recorded in place, once each. Source: `@ai-sdk/provider` 2.0.3 and 3.0.10.
 * @module
 */
import type { Action, Outcome } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { covered, isCovered } from '../covered.ts'
import { countAt, listAt, memberOf, textAt } from '../members.ts'
import { createDraft, toAnswer, toOutcome } from '../models/draft.ts'
import { type Assembly, describeError, watch } from '../models/stream.ts'
import type { Method, Patches } from '../patches.ts'
import { judgedCall } from './judged-call.ts'
import { refusalError } from './refusal.ts'

const watched = new WeakMap<Patches, WeakSet<object>>()

/** What another adapter records already is left alone. Never throws. */
export function watchModel(model: unknown, tools: Tools): void {
  if (typeof model !== 'object' || model === null) return // a name, which the SDK resolves by itself
  const known = watched.get(tools.patches) ?? new WeakSet()
  watched.set(tools.patches, known)
  if (known.has(model)) return
  known.add(model)
  tools.patches.instance(model, 'doGenerate', (call) => recorded(call, tools, recordedGenerate))
  tools.patches.instance(model, 'doStream', (call) => recorded(call, tools, recordedStream))
}

type Run = () => unknown

function recorded(call: Method, tools: Tools, record: (run: Run, action: Action, tools: Tools) => unknown): Method {
  return function (...args) {
    const run = () => covered(() => Reflect.apply(call, this, args))
    return isCovered() ? Reflect.apply(call, this, args) : record(run, actionOf(this, args[0], tools), tools)
  }
}

function actionOf(model: unknown, options: unknown, { guard }: Tools): Action {
  const provider = textAt(model, 'provider')
  const tools = listAt(options, 'tools').map((tool) => textAt(tool, 'name'))
  const input = { messages: memberOf(options, 'prompt'), ...(tools.length > 0 && { tools }) }
  const name = textAt(model, 'modelId') ?? 'unknown'
  return { kind: 'model', name, input, ids: guard.context(), ...(provider !== undefined && { provider }) }
}

const recordedGenerate = (run: Run, action: Action, tools: Tools): Promise<unknown> =>
  judgedCall(tools, action, {
    run,
    refuse(verdict) {
      throw refusalError(verdict, 'model')
    },
    describe: (answer) => ({ status: 'ok', ...describeModel(answer) }),
  })

async function recordedStream(run: Run, action: Action, { guard, recorder }: Tools): Promise<unknown> {
  const { verdict, ref } = await guard.begin(action)
  if (verdict.decision !== 'allow') throw refusalError(verdict, 'model')
  const startMs = performance.now()
  const end = (outcome: Outcome) => void guard.end(ref, { ...outcome, durationMs: performance.now() - startMs })
  try {
    const answer = (await recorder.withContext({ correlation_id: ref }, run)) as { readonly stream: ReadableStream<unknown> } // its interface
    return { ...answer, stream: ReadableStream.from(watch(answer.stream[Symbol.asyncIterator](), assemble(), end)) }
  } catch (error) {
    end(describeError(error))
    throw error
  }
}

/** Of an answer: `content`, `finishReason` and `usage`, in the words of each generation. */
export function describeModel(answer: unknown): Partial<Outcome> {
  const parts = listAt(answer, 'content')
  const tools = parts.filter((part) => memberOf(part, 'type') === 'tool-call').map(callOf)
  const text = parts.map((part) => (memberOf(part, 'type') === 'text' ? (textAt(part, 'text') ?? '') : '')).join('')
  return toOutcome([toAnswer(text, tools)], finishOf(answer), usageOf(memberOf(answer, 'usage')))
}

const callOf = (part: unknown) => ({ id: textAt(part, 'toolCallId'), name: textAt(part, 'toolName'), arguments: memberOf(part, 'input') })

const finishOf = (answer: unknown): string | undefined => textAt(answer, 'finishReason') ?? textAt(answer, 'finishReason', 'unified')

function usageOf(usage: unknown) {
  return {
    inputTokens: countAt(usage, 'inputTokens') ?? countAt(usage, 'inputTokens', 'total'),
    outputTokens: countAt(usage, 'outputTokens') ?? countAt(usage, 'outputTokens', 'total'),
    cachedTokens:
      countAt(usage, 'cachedInputTokens') ??
      countAt(usage, 'inputTokenDetails', 'cacheReadTokens') ??
      countAt(usage, 'inputTokens', 'cacheRead'),
  }
}

/** The parts of a stream; the last one says why it stopped, and one that is an error is its end. */
function assemble(): Assembly {
  const draft = createDraft()
  let last: unknown
  let failure: Partial<Outcome> = {}
  return {
    add(part) {
      const type = textAt(part, 'type')
      if (type === 'text-delta') draft.text(textAt(part, 'delta'))
      if (type === 'tool-call') draft.tool(String(textAt(part, 'toolCallId')), { ...callOf(part), part: textAt(part, 'input') })
      if (type === 'finish') last = part
      if (type === 'error') failure = { ...describeError(memberOf(part, 'error')), complete: false }
    },
    done: () => ({ outcome: { ...toOutcome([draft.done()], finishOf(last), usageOf(memberOf(last, 'usage'))), ...failure } }),
  }
}
