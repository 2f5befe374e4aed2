/**
 * A recorded function that behaves as the one it wraps: same `this`, arguments, result, error, and kind.
 *
 * `async` functions and generators wait until their start is on disk; functions that are not declared so run at
 * once, their records queued in order, because a synchronous answer cannot wait for a disk.
 * Source: design §5.1, checklist GW14.
 * @module
 */
import { durationOf } from '../event/duration.ts'
import type { Recorder, RecordOptions } from './types.ts'

interface Call {
  readonly ids: { readonly tool: string; readonly correlation_id: string }
  readonly startMs: number
}

type AnyFunction = (this: unknown, ...args: never[]) => unknown

const AsyncFunction = (async () => {}).constructor
const AsyncGeneratorFunction = async function* () {}.constructor

export function wrapTool<F extends (...args: never[]) => unknown>(recorder: Recorder, name: string, fn: F): F {
  const wrapped = function (this: unknown, ...args: never[]): unknown {
    const call = { ids: { tool: name, correlation_id: recorder.newId() }, startMs: performance.now() }
    const run = () => recorder.withContext({ correlation_id: call.ids.correlation_id }, () => (fn as AnyFunction).apply(this, args))
    if (fn instanceof AsyncFunction) return runAsync(recorder, call, args, run)
    if (fn instanceof AsyncGeneratorFunction) return iterate(recorder, call, () => start(recorder, call, args), run)
    return runNow(recorder, call, args, run)
  }
  Object.defineProperties(wrapped, { name: { value: fn.name }, length: { value: fn.length } })
  return wrapped as unknown as F // same parameters and result by construction
}

/** @throws SwornError when the start could not be recorded and the recorder blocks then */
async function start(recorder: Recorder, call: Call, args: readonly unknown[]): Promise<void> {
  const recorded = recorder.record({ event_type: 'tool_call_start', ...call.ids, arguments: argumentsOf(args) }, { level: 'sync' })
  await (recorder.onAuditFailure === 'block' ? recorded : recorded.catch(() => {}))
}

async function runAsync(recorder: Recorder, call: Call, args: readonly unknown[], run: () => unknown): Promise<unknown> {
  await start(recorder, call, args)
  return settle(recorder, { ...call, startMs: performance.now() }, run)
}

async function settle(recorder: Recorder, call: Call, run: () => unknown): Promise<unknown> {
  try {
    const result = await run()
    ended(recorder, call, { result })
    return result
  } catch (error) {
    failed(recorder, call, error)
    throw error
  }
}

function runNow(recorder: Recorder, call: Call, args: readonly unknown[], run: () => unknown): unknown {
  later(recorder, { event_type: 'tool_call_start', ...call.ids, arguments: argumentsOf(args) }, { level: 'sync' })
  try {
    return follow(recorder, call, run())
  } catch (error) {
    failed(recorder, call, error)
    throw error
  }
}

/** Looks on at a promise or stream without taking it; anything else is the result. */
function follow(recorder: Recorder, call: Call, result: unknown): unknown {
  if (result instanceof Promise) {
    result.then(
      (value: unknown) => ended(recorder, call, { result: value }),
      (error: unknown) => failed(recorder, call, error),
    )
    return result
  }
  if (isAsyncIterator(result))
    return iterate(
      recorder,
      call,
      async () => {},
      () => result,
    )
  ended(recorder, call, { result })
  return result
}

function isAsyncIterator(value: unknown): value is AsyncGenerator {
  return (
    typeof value === 'object' && value !== null && Symbol.asyncIterator in value && typeof (value as AsyncGenerator).next === 'function'
  )
}

/** The stream, item by item; its end record carries the count, and `complete: false` when the consumer left early. */
async function* iterate(recorder: Recorder, call: Call, before: () => Promise<void>, run: () => unknown): AsyncGenerator {
  await before()
  let items = 0
  let complete = false
  try {
    for await (const item of run() as AsyncIterable<unknown>) {
      items++
      yield item
    }
    complete = true
  } catch (error) {
    failed(recorder, call, error)
    throw error
  } finally {
    ended(recorder, call, { metadata: { items, complete } })
  }
}

function ended(recorder: Recorder, { ids, startMs }: Call, outcome: Readonly<Record<string, unknown>>): void {
  later(recorder, {
    event_type: 'tool_call_end',
    ...ids,
    ...outcome,
    is_error: false,
    duration_ms: durationOf(performance.now() - startMs),
  })
}

function failed(recorder: Recorder, { ids, startMs }: Call, error: unknown): void {
  const error_type = error instanceof Error ? error.name.slice(0, 200) : typeof error
  later(recorder, { event_type: 'tool_call_error', ...ids, error, error_type, duration_ms: durationOf(performance.now() - startMs) })
}

/** Recorded behind the caller's back: a failure is counted in `stats().failed`, never thrown into the tool. */
function later(recorder: Recorder, event: Readonly<Record<string, unknown>>, options?: RecordOptions): void {
  recorder.record(event, options).catch(() => {})
}

/** One plain object stands for itself, everything else for the list of arguments. */
function argumentsOf(args: readonly unknown[]): unknown {
  const [only] = args
  return args.length === 1 && typeof only === 'object' && only !== null && !Array.isArray(only) ? only : args
}
