/**
 * Callable tools of `@google/genai`: objects of the application that the SDK calls with what a model asked for.
 *
 * A refused call gets a response that says so, which the model can read; the others go on. Several calls arrive at once
 * and are answered by parts, which are told apart by id, or by name and order.
 * @module
 */
import type { Guard, Outcome, Verdict } from '@sworn/recorder'
import type { Tools } from '../adapter.ts'
import { listAt, memberOf, present, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { BLOCKED_ANSWER, WITHHELD } from '../screening.ts'
import { describeError } from './stream.ts'

/** One call, judged. */
interface Judged {
  readonly call: unknown
  readonly ref: string
  readonly verdict: Verdict
}

/** In place, once: the SDK keeps the object that it was given. Never throws. */
export function watchTool(tool: unknown, tools: Tools): void {
  let names: ReadonlySet<string> | undefined
  const isOwn = (call: unknown) => names?.has(textAt(call, 'name') ?? '') ?? true
  if (typeof memberOf(tool, 'callTool') !== 'function') return
  tools.patches.instance(
    tool,
    'tool',
    (describe) =>
      async function (...args) {
        const declared = await Reflect.apply(describe, this, args)
        names = new Set(listAt(declared, 'functionDeclarations').map((one) => textAt(one, 'name') ?? ''))
        return declared
      },
  )
  tools.patches.instance(
    tool,
    'callTool',
    (callTool) =>
      function (...args) {
        const run: Method = (calls) => Reflect.apply(callTool, this, [calls, ...args.slice(1)])
        return Array.isArray(args[0]) ? judgeCalls(args[0], isOwn, run, tools) : Reflect.apply(callTool, this, args)
      },
  )
}

/** Every callable tool is given all calls of an answer, and takes its own. */
async function judgeCalls(
  calls: readonly unknown[],
  isOwn: (call: unknown) => boolean,
  run: Method,
  { guard, recorder }: Tools,
): Promise<unknown> {
  const own = await Promise.all(calls.filter(isOwn).map((call) => judge(call, guard)))
  const allowed = own.filter(({ verdict }) => verdict.decision === 'allow')
  const refused = own.filter(({ verdict }) => verdict.decision !== 'allow').map(toRefusal)
  const given = [...allowed.map(withInput), ...calls.filter((call) => !isOwn(call))]
  if (given.length === 0) return refused
  const startMs = performance.now()
  const took = () => ({ durationMs: performance.now() - startMs })
  const [only] = allowed
  try {
    const context = only && allowed.length === 1 ? { correlation_id: only.ref } : {}
    const parts = await recorder.withContext(context, () => Reflect.apply(run, undefined, [given]))
    const answered = Array.isArray(parts) ? [...parts] : []
    const rest = [...answered]
    for (const one of allowed) answer(one, takePart(one.call, rest), { answered, guard, took: took() })
    return Array.isArray(parts) ? [...answered, ...refused] : parts
  } catch (error) {
    for (const { ref } of allowed) void guard.end(ref, { ...describeError(error), ...took() })
    throw error
  }
}

interface Answering extends Pick<Tools, 'guard'> {
  /** All parts, as the model gets them. */
  readonly answered: unknown[]
  readonly took: Pick<Outcome, 'durationMs'>
}

/** Ends one call with its part, which is masked or withheld among those that were answered. */
function answer(one: Judged, part: unknown, { answered, guard, took }: Answering): void {
  const outcome = outcomeOf(part)
  const { value, matches, blocked } = guard.screen(outcome.output)
  void guard.end(one.ref, { ...outcome, ...(blocked && BLOCKED_ANSWER), ...took }, matches)
  const at = answered.indexOf(part)
  if (blocked) answered[at] = toRefusal({ ...one, verdict: WITHHELD })
  else if (value !== outcome.output)
    answered[at] = { functionResponse: { ...(memberOf(part, 'functionResponse') as object), response: value } }
}

async function judge(call: unknown, guard: Guard): Promise<Judged> {
  const ids = { ...present({ call: textAt(call, 'id') }), ...guard.context() }
  const begun = await guard.begin({ kind: 'tool', name: textAt(call, 'name') ?? 'unknown', input: memberOf(call, 'args'), ids })
  return { call, ...begun }
}

function withInput({ call, verdict }: Judged): unknown {
  return verdict.decision === 'allow' && 'input' in verdict ? { ...(call as object), args: verdict.input } : call
}

function toRefusal({ call, verdict }: Judged): unknown {
  const response = { error: `Forbidden (${verdict.reasonCode})` }
  return { functionResponse: { ...present({ id: textAt(call, 'id'), name: textAt(call, 'name') }), response } }
}

/** Takes the part that answers `call` out of `parts`. */
function takePart(call: unknown, parts: unknown[]): unknown {
  const [id, name] = [textAt(call, 'id'), textAt(call, 'name')]
  const byId = id === undefined ? -1 : parts.findIndex((part) => textAt(part, 'functionResponse', 'id') === id)
  const at = byId >= 0 ? byId : parts.findIndex((part) => textAt(part, 'functionResponse', 'name') === name)
  return at >= 0 ? parts.splice(at, 1)[0] : undefined
}

function outcomeOf(part: unknown): Outcome {
  if (part === undefined) return { status: 'unknown', errorType: 'outcome_unknown' }
  const output = memberOf(part, 'functionResponse', 'response')
  return memberOf(output, 'error') === undefined ? { status: 'ok', output } : { status: 'error', errorType: 'tool_error', output }
}
