/**
 * The functions of the AI SDK that call a model, bound again by the loader: the tools of a call are judged when they run,
 * and in 5 and 6 its model is recorded.
 *
 * What the registry of 6 and 7 tells of such tools is left alone. The application's own tools are not touched: a call
 * gets copies of them. Source: spec capture §4.2, `ai` 5.0.277, 6.0.326 and 7.0.173.
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Action } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { memberOf, present, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { watchModel } from './ai-models.ts'
import { judgedCall } from './judged-call.ts'
import { refusalError } from './refusal.ts'

export const REBOUND = ['generateText', 'streamText', 'generateObject', 'streamObject'] as const

interface Judged {
  readonly run?: string | undefined
}

const KEY = Symbol.for('sworn.instrument.ai-tools')
const shared = globalThis as { [KEY]?: AsyncLocalStorage<Judged> } // one for the process, whichever copy of this package asks
const judged = (shared[KEY] ??= new AsyncLocalStorage<Judged>())

/** On every telemetry of ours, whichever copy of this package made it. */
export const TOLD = Symbol.for('sworn.instrument.telemetry')

/** Whether a call is being made whose tools are judged here. */
export const isJudged = (): boolean => judged.getStore() !== undefined

/** Runs a tool that is judged here so that its record names the run. */
export const inRun = <T>(run: string | undefined, fn: () => T): T => judged.run({ run }, fn)

/** `generate`, recorded where nothing else would do it. */
export function watchingCall(generate: Method, generation: number, tools: Tools): Method {
  return function (options, ...rest) {
    if (generation < 7) watchModel(memberOf(options, 'model'), tools)
    const isOurs = typeof memberOf(options, 'tools') === 'object' && !(generation >= 7 && isTold(options))
    if (!isOurs) return Reflect.apply(generate, this, [options, ...rest])
    const given = withJudgedTools(options as object, tools)
    return judged.run({}, () => Reflect.apply(generate, this, [given, ...rest]))
  }
}

/** The call names a telemetry of ours, which may have a gate of its own. */
function isTold(options: unknown): boolean {
  const integrations = memberOf(options, 'telemetry', 'integrations') ?? memberOf(options, 'experimental_telemetry', 'integrations')
  return [integrations].flat().some((one) => typeof one === 'object' && one !== null && TOLD in one)
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
    const known = present({ run: judged.getStore()?.run, call: textAt(call, 'toolCallId') })
    const action: Action = { kind: 'tool', name, input, ids: { ...known, ...tools.guard.context() } }
    return judgedCall(tools, action, {
      run: (given) => lastOf(Reflect.apply(execute, tool, [given, call])),
      refuse(verdict) {
        throw refusalError(verdict, 'tool')
      },
      describe: (output) => ({ status: 'ok', output }),
      answer: (output) => output,
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
