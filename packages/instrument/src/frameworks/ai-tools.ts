/**
 * `generateText` and `streamText` of the AI SDK, bound again by the loader: the tools of a call are judged when they run.
 *
 * In 5 that is all there is. 6 tells its registry in any case. In 7 it closes the hole that a call leaves which switches
 * the registry off, or brings integrations of its own. The application's own objects are not touched: a call gets copies of its tools.
 * Source: spec capture §4.2, `ai` 5.0.277.
 * @module
 */
import type { Action } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { memberOf, present, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { isTold } from './ai-telemetry.ts'
import { judgedCall } from './judged-call.ts'
import { refusalError } from './refusal.ts'

export const REBOUND = ['generateText', 'streamText'] as const

/** `generate`, with its tools judged where nothing else would record them. */
export function judgingTools(generate: Method, generation: number, tools: Tools): Method {
  return function (options, ...rest) {
    const isOurs = typeof memberOf(options, 'tools') === 'object' && (generation < 6 || (generation > 6 && isSwitchedOff(options)))
    return Reflect.apply(generate, this, [isOurs ? withJudgedTools(options as object, tools) : options, ...rest])
  }
}

function isSwitchedOff(options: unknown): boolean {
  const telemetry = memberOf(options, 'telemetry') ?? memberOf(options, 'experimental_telemetry')
  const integrations = memberOf(telemetry, 'integrations')
  return memberOf(telemetry, 'isEnabled') === false || (integrations !== undefined && !isTold(integrations))
}

function withJudgedTools(options: object, tools: Tools): object {
  const given = Object.entries(memberOf(options, 'tools') ?? {})
  return { ...options, tools: Object.fromEntries(given.map(([name, tool]) => [name, judgedTool(name, tool, tools)])) }
}

/** What is not run here, by the application or by the provider, has no `execute`. */
function judgedTool(name: string, tool: unknown, tools: Tools): unknown {
  const execute = memberOf(tool, 'execute')
  if (typeof execute !== 'function') return tool
  const run = (input: unknown, call: unknown): Promise<unknown> => {
    const ids = { ...present({ call: textAt(call, 'toolCallId') }), ...tools.guard.context() }
    const action: Action = { kind: 'tool', name, input, ids }
    return judgedCall(tools, action, {
      run: (judged) => lastOf(Reflect.apply(execute, tool, [judged, call])),
      refuse(verdict) {
        throw refusalError(verdict, 'tool')
      },
      describe: (output) => ({ status: 'ok', output }),
    })
  }
  const members = Object.getOwnPropertyDescriptors(tool as object)
  return Object.defineProperties(Object.create(Object.getPrototypeOf(tool)), { ...members, execute: { ...members.execute, value: run } })
}

/** A tool may give results as they grow; the last one is its result. Those before it are not shown while it is judged. */
async function lastOf(result: unknown): Promise<unknown> {
  const settled = await result
  if (typeof memberOf(settled, Symbol.asyncIterator as never) !== 'function') return settled
  let last: unknown
  for await (const next of settled as AsyncIterable<unknown>) last = next
  return last
}
