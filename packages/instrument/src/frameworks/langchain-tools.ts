/** A LangChain tool, judged before its input is parsed. @module */
import type { Action, Outcome, Verdict } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { memberOf, present, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { judgedCall } from './judged-call.ts'
import { announcing } from './langchain-announced.ts'
import { refusalError, refusalText } from './refusal.ts'

/** Of `StructuredTool.prototype.call`. */
export function recordingCall(call: Method, tools: Tools): Method {
  return function (...args) {
    const [given, config, ...rest] = args
    const isToolCall = textAt(given, 'type') === 'tool_call'
    const id = (isToolCall ? textAt(given, 'id') : undefined) ?? textAt(config, 'toolCall', 'id')
    const input = isToolCall ? memberOf(given, 'args') : given
    const put = (judged: unknown) =>
      judged === input ? args : [isToolCall ? { ...(given as object), args: judged } : judged, config, ...rest]
    const ids = { ...present({ call: id, session: threadOf(config) }), ...tools.guard.context() }
    const action: Action = { kind: 'tool', name: textAt(this, 'name') ?? 'unknown', input, ids }
    return judgedCall(tools, action, {
      run: (judged) => announcing('tool')(() => Reflect.apply(call, this, put(judged))),
      refuse: (verdict) => refuse({ call, tool: this as object, args, hasId: id !== undefined }, verdict),
      describe: describeTool,
      answer: withOutput,
    })
  }
}

export function threadOf(config: unknown): string | undefined {
  return textAt(config, 'configurable', 'thread_id') ?? textAt(config, 'metadata', 'thread_id')
}

interface Refused {
  readonly call: Method
  readonly tool: object
  readonly args: readonly unknown[]
  readonly hasId: boolean
}

/** A call that a model asked for gets a message, made as the framework makes them, and its run goes on. */
async function refuse({ call, tool, args, hasId }: Refused, verdict: Verdict): Promise<unknown> {
  if (!hasId) throw refusalError(verdict, 'tool')
  const standIn = Object.create(tool, { _call: { value: async () => refusalText(verdict) }, responseFormat: { value: 'content' } })
  const message = await announcing('tool')(() => Reflect.apply(call, standIn, args))
  return Object.assign(message as object, { status: 'error' })
}

/** A message is another one of its class, which says the same of itself. */
function withOutput(output: unknown, result: unknown): unknown {
  if (textAt(result, 'tool_call_id') === undefined) return output
  const message = result as { readonly lc_kwargs?: object } // it has the id of a call, see above
  const said = { content: output, lc_kwargs: { ...message.lc_kwargs, content: output } }
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, said)
}

/** Of what a tool returned: a message of its own, or whatever it is. */
export function describeTool(result: unknown): Outcome {
  if (textAt(result, 'tool_call_id') === undefined) return { status: 'ok', output: result }
  const output = memberOf(result, 'content')
  return textAt(result, 'status') === 'error' ? { status: 'error', errorType: 'tool_error', output } : { status: 'ok', output }
}
