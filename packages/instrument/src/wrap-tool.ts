/**
 * A tool of the application's own, judged and recorded wherever it is called.
 *
 * `recorder.tool` records only, and keeps a function's kind; what is to be judged first has to be awaited.
 * @module
 */
import type { InstrumentRecorder } from './adapter.ts'
import { type Deciding, guardOf } from './deciding.ts'
import { judgedCall, type Ways } from './frameworks/judged-call.ts'
import { refusalError } from './frameworks/refusal.ts'

/**
 * `fn`, judged first: its decision (without a gate: its start) is on disk before it runs. One argument that is an object
 * is what is judged, otherwise the list of arguments; a gate that rewrites the input replaces it. What `fn`
 * throws passes unchanged, and what it returns but where a policy masks it or withholds it.
 *
 * @returns a function with the same arguments, which rejects with SwornError ACTION_DENIED when it was refused
 */
export function wrapTool<A extends readonly unknown[], R>(
  recorder: InstrumentRecorder,
  name: string,
  fn: (...args: A) => R | PromiseLike<R>,
  deciding: Deciding = {},
): (...args: A) => Promise<R> {
  const guard = guardOf(recorder, 'tool', deciding, true)
  const wrapped = function (this: unknown, ...args: A): Promise<R> {
    const isOne = args.length === 1 && typeof args[0] === 'object' && args[0] !== null && !Array.isArray(args[0])
    const action = { kind: 'tool' as const, name, input: isOne ? args[0] : args, ids: guard.context() }
    const ways: Ways = {
      run: (input) => Reflect.apply(fn, this, isOne ? [input] : (input as A)), // the shape is kept
      refuse(verdict) {
        throw refusalError(verdict, 'action')
      },
      describe: (output) => ({ status: 'ok', output }),
      answer: (output) => output,
    }
    return judgedCall({ guard, recorder }, action, ways) as Promise<R> // what `run` returned
  }
  Object.defineProperties(wrapped, { name: { value: fn.name }, length: { value: fn.length } })
  return wrapped
}
