/** A tool, a shell, an editor or a handoff of the OpenAI Agents SDK, judged where it is called. @module */
import type { Action, Outcome, Verdict } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { memberOf, present, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { judgedCall } from './judged-call.ts'
import type { AgentRuns } from './openai-agents-runs.ts'
import { refusalError, refusalText } from './refusal.ts'

/** What watching one of them needs. */
export interface Watching extends Pick<AgentRuns, 'within' | 'handOver'> {
  readonly tools: Tools
  /** Modules of the SDK, of which one may know the trace. */
  readonly copies: readonly unknown[]
}

const EDITS = ['createFile', 'updateFile', 'deleteFile']

/** By what it is run with; hosted tools have nothing of the kind. */
export function watchTool(tool: unknown, watching: Watching): void {
  const { instance } = watching.tools.patches
  const name = textAt(tool, 'name') ?? 'unknown'
  instance(tool, 'invoke', (invoke) => judgedInvoke(invoke, name, watching))
  const local = (run: Method) => judgedLocal(run, name, watching)
  instance(memberOf(tool, 'shell'), 'run', local)
  for (const edit of EDITS) instance(memberOf(tool, 'editor'), edit, local)
}

/** `invoke(runContext, json, details)`: a refusal is its result, which the model reads. */
function judgedInvoke(invoke: Method, name: string, { tools, copies, within }: Watching): Method {
  return function (...args) {
    const [run, json, details, ...rest] = args
    const given = parsed(json)
    const call = textAt(details, 'toolCall', 'callId')
    const put = (input: unknown) => (input === given ? args : [run, JSON.stringify(input), details, ...rest])
    return within(run, () =>
      judgedCall(tools, toAction({ kind: 'tool', name, input: given }, { tools, copies }, call), {
        run: (input) => Reflect.apply(invoke, this, put(input)),
        refuse: (verdict) => refuseInvoke(this, verdict),
        describe: (output) => describeInvoke(output, copies),
        answer: (output) => output,
      }),
    )
  }
}

/** A tool that promised a shape cannot answer with a text. */
function refuseInvoke(tool: unknown, verdict: Verdict): string {
  if (memberOf(tool, 'outputSchema') !== undefined) throw refusalError(verdict, 'tool')
  return refusalText(verdict)
}

/** What a tool's error function made of an error is its result; that it was one stands in the span. */
function describeInvoke(output: unknown, copies: readonly unknown[]): Outcome {
  const error = textAt(told(copies, 'getCurrentSpan'), 'error', 'message')
  return error === undefined ? { status: 'ok', output } : { status: 'error', errorType: 'tool_error', error, output }
}

/** `run(action)` of a shell, `createFile(operation, { runContext })` of an editor: what they throw is told to the model. */
function judgedLocal(run: Method, name: string, { tools, copies, within }: Watching): Method {
  return function (...args) {
    const [input, context, ...rest] = args
    return within(memberOf(context, 'runContext'), () =>
      judgedCall(tools, toAction({ kind: 'tool', name, input }, { tools, copies }), {
        run: (judged) => Reflect.apply(run, this, judged === input ? args : [judged, context, ...rest]),
        refuse(verdict) {
          throw refusalError(verdict, 'tool')
        },
        describe: (output) => ({ status: 'ok', output }),
        answer: (output) => output,
      }),
    )
  }
}

/** Judged by the name under which the model asks for it; a refusal ends the run. Who takes over is recorded as the subagent of who hands over. */
export function watchHandoff(handoff: unknown, { tools, copies, within, handOver }: Watching): void {
  const name = textAt(handoff, 'toolName') ?? 'handoff'
  tools.patches.instance(handoff, 'onInvokeHandoff', (invoke) => {
    return (...args) => {
      const [run, json] = args
      return within(run, () =>
        judgedCall(tools, toAction({ kind: 'handoff', name, input: parsed(json) }, { tools, copies }), {
          async run() {
            const next = await Reflect.apply(invoke, this, args)
            handOver(run, textAt(next, 'name') ?? 'unknown')
            await within(run, () => tools.guard.note('subagent_start', {}))
            return next
          },
          refuse(verdict) {
            throw refusalError(verdict, 'handoff')
          },
          describe: (next) => ({ status: 'ok', output: { agent: textAt(next, 'name') } }),
        }),
      )
    }
  })
}

function toAction(
  action: Pick<Action, 'kind' | 'name' | 'input'>,
  { tools, copies }: Pick<Watching, 'tools' | 'copies'>,
  call?: string,
): Action {
  const trace = told(copies, 'getCurrentTrace')
  const ids = present({ run: textAt(trace, 'traceId'), session: textAt(trace, 'groupId'), call })
  return { ...action, ids: { ...ids, ...tools.guard.context() } }
}

/** What a function of the SDK without arguments says; undefined where nobody has it, or it says nothing. */
function told(copies: readonly unknown[], name: string): unknown {
  for (const copy of copies) {
    const fn = memberOf(copy, name)
    try {
      const said: unknown = typeof fn === 'function' ? fn() : undefined
      if (said) return said
    } catch {
      // it has no trace to tell of
    }
  }
  return undefined
}

/** Arguments come as the model wrote them. */
function parsed(json: unknown): unknown {
  try {
    return typeof json === 'string' && json !== '' ? JSON.parse(json) : json
  } catch {
    return json
  }
}
