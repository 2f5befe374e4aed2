/**
 * An MCP transport that is watched in place: what is asked through it is judged and recorded before it goes on, in
 * either direction, so that one wrapper serves clients and servers of both SDK generations.
 *
 * Promise: a request that is recorded reaches the other side after its decision is on disk, or never. Everything else
 * passes unchanged and at once. Source: spec capture §4.1.
 * @module
 */
import type { Verdict } from '@sworn/recorder'
import type { InstrumentRecorder } from '../adapter.ts'
import { textAt } from '../members.ts'
import type { AdapterGuard } from '../screening.ts'
import { type Calls, createCalls } from './calls.ts'
import { cancelledId, isAnswer, type Request, type RpcMessage, type Server, toAction, toRefusal, withInput } from './messages.ts'

/** The part of an SDK's transport that is used. */
export interface McpTransport {
  send(message: never, ...rest: never[]): Promise<void>
  sessionId?: string | undefined
}

/** Who watches, and who is on the other side. */
export interface Watch {
  /** Two observers: what is asked and what is answered may be ends of one call. */
  readonly guards: { readonly sent: AdapterGuard; readonly received: AdapterGuard }
  readonly recorder: Pick<InstrumentRecorder, 'withContext'>
  /** False: new requests pass unseen. */
  readonly isActive: () => boolean
  readonly server: () => Server
}

type Handler = (message: unknown, ...rest: unknown[]) => unknown
type Send = (message: unknown, ...rest: unknown[]) => Promise<void>

/** The transport as it is written to. */
interface Open {
  send: Send
  onmessage?: Handler | undefined
  onclose?: (() => void) | undefined
}

const KINDS: readonly [RegExp, string][] = [
  [/stdio/i, 'stdio'],
  [/http|sse/i, 'http'],
  [/memory/i, 'memory'],
]

const MARK = Symbol.for('sworn.instrument.transport')

/** One connection: what is under way in each direction, and the transport's own `send`. */
interface Line extends Watch {
  readonly open: Open
  readonly send: Send
  readonly kind: string | undefined
  readonly sent: Calls
  readonly received: Calls
  /** A handler that calls the one before it hands the same message on: it is seen once. */
  readonly passed: WeakSet<object>
}

/** Idempotent: a transport that is watched already stays as it is. @throws TypeError when it is no transport, or frozen */
export function watchTransport(transport: McpTransport, watch: Watch): void {
  const marked = (transport as { [MARK]?: () => boolean })[MARK] // set below
  if (marked?.()) return
  const open = transport as unknown as Open // the SDKs' own contract
  const [sent, received] = [createCalls(watch.guards.sent), createCalls(watch.guards.received)]
  const line: Line = { ...watch, open, send: open.send.bind(transport), kind: kindOf(open), sent, received, passed: new WeakSet() }
  open.send = (message, ...rest) => passOut(line, message, rest)
  intercept(
    open,
    'onmessage',
    (handler) =>
      (message, ...rest) =>
        passIn(line, handler, message, rest),
  )
  intercept(open, 'onclose', (handler) => () => {
    sent.close()
    received.close()
    handler()
  })
  Object.defineProperty(transport, MARK, { value: watch.isActive, configurable: true })
}

function kindOf(transport: unknown): string | undefined {
  const name = textAt(transport, 'constructor', 'name') ?? ''
  return KINDS.find(([pattern]) => pattern.test(name))?.[1]
}

/** The request that has to be judged before it goes on. */
function requestOf({ guards, isActive, server, kind, open }: Line, message: unknown): Request | undefined {
  if (!isActive()) return undefined
  return toAction(message, guards.sent.context, () => ({ ...server(), transport: kind, session: textAt(open, 'sessionId') }))
}

async function passOut(line: Line, message: unknown, rest: readonly unknown[]): Promise<void> {
  const { open, send, sent, received, recorder } = line
  if (isAnswer(message)) return send(received.answer(message), ...rest)
  sent.cancel(cancelledId(message))
  const action = requestOf(line, message)
  if (!action) return send(message, ...rest)
  await sent.pass(action, {
    go: (verdict, ref) => recorder.withContext({ correlation_id: ref }, () => send(inputOf(message, verdict), ...rest)),
    refuse: (verdict) => open.onmessage?.(toRefusal(action.rpc, verdict)),
  })
}

function passIn(line: Line, handler: Handler, message: unknown, rest: readonly unknown[]): unknown {
  const { send, received, passed, recorder } = line
  if (typeof message !== 'object' || message === null || passed.has(message)) return handler(message, ...rest)
  passed.add(message)
  if (isAnswer(message)) return handAnswer(line, handler, message, rest)
  received.cancel(cancelledId(message))
  const action = requestOf(line, message)
  if (!action) return handler(message, ...rest)
  const passing = received.pass(action, {
    go(verdict, ref) {
      const given = inputOf(message, verdict)
      if (given !== message) passed.add(given)
      recorder.withContext({ correlation_id: ref }, () => handler(given, ...rest))
    },
    refuse: (verdict) => send(toRefusal(action.rpc, verdict), { relatedRequestId: action.rpc.id }),
  })
  return passing.catch(() => undefined) // the handler or the transport failed, and says so by itself
}

function handAnswer({ sent, passed }: Line, handler: Handler, message: RpcMessage, rest: readonly unknown[]): unknown {
  const given = sent.answer(message)
  if (given !== message) passed.add(given)
  return handler(given, ...rest)
}

function inputOf(message: unknown, verdict: Verdict): RpcMessage {
  const given = message as RpcMessage // it was read as a request
  return verdict.decision === 'allow' && 'input' in verdict ? withInput(given, verdict.input) : given
}

type HandlerName = 'onmessage' | 'onclose'

/** Wraps every handler that is set from now on, and the one that is set; an accessor of the transport's class is kept in the way. */
function intercept<K extends HandlerName>(open: Open, name: K, wrap: (handler: NonNullable<Open[K]>) => NonNullable<Open[K]>): void {
  const inherited = inheritedSetter(open, name)
  const before = open[name]
  let current: Open[K]
  Object.defineProperty(open, name, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set(next: Open[K]) {
      current = next ? wrap(next) : next
      inherited?.call(open, current)
    },
  })
  if (before) open[name] = before
}

function inheritedSetter(object: object, name: string): ((value: unknown) => void) | undefined {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name)
    if (found) return found.set
  }
  return undefined
}
