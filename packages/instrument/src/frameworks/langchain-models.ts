/** Model calls of LangChain: whole, and as chunks. Source: `@langchain/core` 0.3.80 and 1.2.13. @module */
import { type Action, asText, type Guard, type Outcome } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { covered, isCovered } from '../covered.ts'
import { countAt, listAt, memberOf, present, textAt } from '../members.ts'
import { createDraft, toAnswer, toOutcome } from '../models/draft.ts'
import { type Assembly, watch } from '../models/stream.ts'
import type { Method } from '../patches.ts'
import { judgedCall } from './judged-call.ts'
import { announcing } from './langchain-announced.ts'
import { threadOf } from './langchain-tools.ts'
import { refusalError } from './refusal.ts'

/** Of `generate` of `BaseChatModel` or `BaseLLM`: one call, however many prompts it has. */
export function recordingGenerate(generate: Method, tools: Tools): Method {
  return function (...args) {
    if (isCovered()) return Reflect.apply(generate, this, args)
    return judgedCall(tools, modelAction(this, args[0], args[1], tools.guard), {
      run: () => covered(() => announcing('model')(() => Reflect.apply(generate, this, args))),
      refuse(verdict) {
        throw refusalError(verdict, 'model')
      },
      describe: (result) => ({ status: 'ok', ...describeResult(result) }),
    })
  }
}

/** Of `_streamIterator`, which everything that streams goes through. */
export function recordingStream(stream: Method, tools: Tools): Method {
  return function (...args) {
    const inner = Reflect.apply(stream, this, args) as AsyncGenerator<unknown>
    return isCovered() ? inner : streamed(inner, modelAction(this, args[0], args[1], tools.guard), tools)
  }
}

/** Begun when the first piece is asked for, as the original is. */
async function* streamed(inner: AsyncGenerator<unknown>, action: Action, { guard, recorder }: Tools): AsyncGenerator<unknown> {
  const { verdict, ref } = await guard.begin(action)
  if (verdict.decision !== 'allow') throw refusalError(verdict, 'model')
  const startMs = performance.now()
  const announced = announcing('model')
  const inside = <T>(fn: () => T): T => announced(() => recorder.withContext({ correlation_id: ref }, () => covered(fn)))
  const seen: AsyncIterator<unknown> = {
    next: () => inside(() => inner.next()),
    return: () => inside(() => inner.return(undefined)),
  }
  yield* watch(seen, assemble(), (outcome) => void guard.end(ref, { ...outcome, durationMs: performance.now() - startMs }))
}

function modelAction(model: unknown, input: unknown, options: unknown, guard: Guard): Action {
  const described = describedBy(model, options)
  const name = textAt(described, 'ls_model_name') ?? textAt(model, 'model') ?? textAt(model, 'modelName') ?? 'unknown'
  const provider = textAt(described, 'ls_provider')
  const tools = listAt(options, 'tools').map((tool) => textAt(tool, 'function', 'name') ?? textAt(tool, 'name'))
  return {
    kind: 'model',
    name,
    input: { messages: messagesOf(input), ...(tools.length > 0 && { tools }) },
    ids: { ...present({ session: threadOf(options) }), ...guard.context() },
    ...(provider !== undefined && { provider }),
  }
}

/** What the model tells tracers about itself. */
function describedBy(model: unknown, options: unknown): unknown {
  const describe = memberOf(model, 'getLsParams')
  if (typeof describe !== 'function') return undefined
  try {
    return Reflect.apply(describe, model, [Array.isArray(options) ? { stop: options } : (options ?? {})])
  } catch {
    return undefined // it wants options that only the framework can make
  }
}

/** A prompt is a text, messages or an object that holds one of them; several prompts are a list of them. */
export function messagesOf(input: unknown): unknown {
  if (Array.isArray(input)) return input.length === 1 && Array.isArray(input[0]) ? messagesOf(input[0]) : input.map(messagesOf)
  const inner = memberOf(input, 'messages') ?? memberOf(input, 'value')
  return inner === undefined ? plainMessage(input) : messagesOf(inner)
}

/** The members that a reader needs of a message; anything else as it is. */
function plainMessage(message: unknown): unknown {
  const type = memberOf(message, 'getType') ?? memberOf(message, '_getType')
  if (typeof type !== 'function') return message
  const calls = listAt(message, 'tool_calls')
  return present({
    type: Reflect.apply(type, message, []),
    content: memberOf(message, 'content'),
    name: textAt(message, 'name'),
    tool_call_id: textAt(message, 'tool_call_id'),
    tool_calls: calls.length > 0 ? calls.map(callOf) : undefined,
  })
}

const callOf = (call: unknown) => ({ id: textAt(call, 'id'), name: textAt(call, 'name'), arguments: memberOf(call, 'args') })

/** Of an `LLMResult`, or of the prompt result that is made of it: what was said first to each prompt. */
export function describeResult(result: unknown): Partial<Outcome> {
  const first = listAt(result, 'generations').map((generations) => memberOf(generations, 0))
  const message = memberOf(first[0], 'message')
  const answers = first.map((generation) =>
    toAnswer(
      memberOf(generation, 'message', 'content') ?? memberOf(generation, 'text'),
      listAt(generation, 'message', 'tool_calls').map(callOf),
    ),
  )
  return toOutcome(
    answers,
    finishOf(message) ?? textAt(first[0], 'generationInfo', 'finish_reason'),
    usageOf(memberOf(message, 'usage_metadata')),
  )
}

function finishOf(message: unknown): string | undefined {
  return textAt(message, 'response_metadata', 'finish_reason') ?? textAt(message, 'response_metadata', 'stop_reason')
}

function usageOf(usage: unknown) {
  return {
    inputTokens: countAt(usage, 'input_tokens'),
    outputTokens: countAt(usage, 'output_tokens'),
    cachedTokens: countAt(usage, 'input_token_details', 'cache_read'),
  }
}

/** Chunks are messages, or texts; what each says that it used is added up, as the framework does. */
function assemble(): Assembly {
  const draft = createDraft()
  let finishReason: string | undefined
  const usage: { [K in keyof ReturnType<typeof usageOf>]?: number } = {}
  return {
    add(chunk) {
      draft.text(typeof chunk === 'string' ? chunk : contentText(memberOf(chunk, 'content')))
      for (const call of listAt(chunk, 'tool_call_chunks'))
        draft.tool(asText(memberOf(call, 'index') ?? 0), { id: textAt(call, 'id'), name: textAt(call, 'name'), part: textAt(call, 'args') })
      finishReason = finishOf(chunk) ?? finishReason
      for (const [name, count] of Object.entries(present(usageOf(memberOf(chunk, 'usage_metadata')))))
        usage[name as keyof typeof usage] = (usage[name as keyof typeof usage] ?? 0) + count // the keys of usageOf
    },
    done: () => ({ outcome: toOutcome([draft.done()], finishReason, usage) }),
  }
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((part) => textAt(part, 'text') ?? '').join('') : ''
}
