/**
 * A `create()` of an SDK that OpenAI's and Anthropic's share the making of: recorded before the request leaves, and when
 * the answer was read.
 *
 * The promise is the SDK's own, with `withResponse()`, `asResponse()` and its lazy parsing: only what it waits for and
 * how it parses are replaced, so types, errors and identity stay. These members are private to the SDK; where they are
 * missing the call is recorded and its outcome is not known. Source: spec capture §4.3, §4.5.
 * @module
 */
import { type Guard, type Outcome, SwornError } from '@sworn/recorder'
import { covered, isCovered } from '../covered.ts'
import { memberOf, textAt } from '../members.ts'
import type { Method } from '../patches.ts'
import { type Dialect, describeError, isStream, watchStream } from './stream.ts'

export interface Call {
  /** Resolves when the request may leave. @throws SwornError ACTION_DENIED */
  begin(): Promise<void>
  /** The first one counts. */
  end(outcome: Outcome): void
  isAnswered?: true
}

/** What `create()` returns, as far as it is used. */
interface ApiPromise {
  responsePromise: Promise<unknown>
  parseResponse: (...args: unknown[]) => unknown
  _thenUnwrap?: (transform: Transform) => unknown
}

type Transform = (data: unknown, ...rest: unknown[]) => unknown

/** Of the resource at `path` below the first holder that has it there: a namespace, a class handed in, a default export. */
export function prototypeAt(holders: readonly unknown[], path: readonly string[]): unknown {
  const found = holders.map((holder) => memberOf(holder, ...path, 'prototype'))
  return found.find((prototype) => typeof memberOf(prototype, 'create') === 'function')
}

export function recordingCreate(create: Method, guard: Guard, dialect: Dialect): Method {
  return function (...args) {
    if (isCovered()) return Reflect.apply(create, this, args)
    const call = createCall(guard, dialect, args[0])
    const client = memberOf(this, '_client')
    if (typeof memberOf(client, 'post') !== 'function') return Reflect.apply(create, this, args)
    const resource = Object.create(this as object, { _client: { value: delaying(client as object, call) } })
    return follow(Reflect.apply(create, resource, args), call, dialect)
  }
}

/** The client, but what it posts leaves when the call was recorded. Options may be a promise that fails meanwhile. */
function delaying(client: object, call: Call): object {
  const post = (path: unknown, options: unknown) =>
    covered(() => {
      const later = Promise.all([options, call.begin()]).then(([ready]) => ready)
      return Reflect.apply(memberOf(client, 'post') as Method, client, [path, later]) // a function, see above
    })
  return new Proxy(client, {
    get(target, name) {
      if (name === 'post') return post
      const value = Reflect.get(target, name, target) // private members know only the client itself
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** One call of a model; `body` names it as `model` and is recorded whole. */
export function createCall(guard: Guard, dialect: Dialect, body: unknown): Call {
  let ref: string | undefined
  let startMs = 0
  return {
    async begin() {
      const name = textAt(body, 'model') ?? 'unknown'
      const begun = await guard.begin({ kind: 'model', name, input: body, provider: dialect.provider, ids: guard.context() })
      if (begun.verdict.decision !== 'allow') throw new SwornError('ACTION_DENIED', begun.verdict.reasonCode, 'model')
      ref = begun.ref
      startMs = performance.now()
    },
    end(outcome) {
      if (ref === undefined) return
      void guard.end(ref, { ...outcome, durationMs: performance.now() - startMs })
      ref = undefined
    },
  }
}

function isApiPromise(value: unknown): value is ApiPromise {
  return memberOf(value, 'responsePromise') instanceof Promise && typeof memberOf(value, 'parseResponse') === 'function'
}

/** Also what is derived of it: the newest SDK goes past the promise that it derives from. */
function follow(promise: unknown, call: Call, dialect: Dialect): unknown {
  if (!isApiPromise(promise)) return promise
  const { responsePromise, parseResponse, _thenUnwrap: derive } = promise
  const see = (data: unknown) => observe(data, call, dialect)
  const failed = (error: unknown) => fail(call, error)
  promise.responsePromise = responsePromise.catch(failed) // as unhandled as it was
  promise.parseResponse = async (...args) => Promise.resolve(Reflect.apply(parseResponse, promise, args)).then(see, failed)
  if (!derive) return promise
  promise._thenUnwrap = (transform) => {
    promise.responsePromise.catch(() => undefined) // the derived one carries it from here
    const seen: Transform = (data, ...rest) => transform(see(data), ...rest)
    return follow(Reflect.apply(derive, promise, [seen]), call, dialect)
  }
  return promise
}

/** The first answer counts; what is derived of it is shown again. */
function observe(data: unknown, call: Call, dialect: Dialect): unknown {
  if (call.isAnswered) return data
  call.isAnswered = true
  if (isStream(data)) watchStream(data, dialect.assemble(), call.end)
  else call.end({ status: 'ok', ...dialect.describe(data) })
  return data
}

function fail(call: Call, error: unknown): never {
  call.end(describeError(error))
  throw error
}
