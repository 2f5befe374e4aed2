/**
 * One HTTP request of a client while it is open, and how it ends when its answer does not come.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Read } from '../frames/read.ts'
import { formatError } from '../frames/write.ts'
import { answer, CODES, type Pending, type Session } from '../relay/session.ts'
import type { Principal } from './admit.ts'
import type { Limits } from './options.ts'
import { type ClientSession, noteFailure, type Sessions } from './sessions.ts'
import { formatEvent } from './sse.ts'
import type { Upstream } from './upstream.ts'

/** What all exchanges of a listener share. */
export interface Front {
  readonly upstream: Upstream
  readonly sessions: Sessions
  readonly limits: Required<Limits>
  /** Exchanges that are not over. */
  readonly open: Set<Exchange>
}

export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly principal: Principal
}

export interface Exchange extends Arrival {
  readonly front: Front
  readonly client: ClientSession
  readonly view: Session
  /** Undefined for a stream that the client opens with GET. */
  readonly read: Read | undefined
  readonly body: Buffer
  readonly abort: AbortController
  /** The request of this exchange while it waits for its answer. */
  call: Pending | undefined
  /** Where lines for the client go; changes with the form of the answer. */
  sink: (line: Buffer) => void
  /** HTTP status of an answer of ours. */
  status: number
  /** An event with an id has passed: the client may come back for the rest. */
  resumable: boolean
  /** The message waits for its turn. */
  queued: boolean
  /** The message was handed to the upstream. */
  sent: boolean
  /** Settles when what was sent has been answered. */
  work: Promise<void> | undefined
}

/** An answer that is ours: JSON, or the last event where a stream has begun. */
export function replyJson(response: ServerResponse, status: number, body: Buffer, headers: Readonly<Record<string, string>> = {}): void {
  if (response.writableEnded || response.destroyed) return
  if (response.headersSent) return void response.end(formatEvent({}, body))
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': String(body.length), ...headers }).end(body)
}

/** Begins a stream of events as the answer, unless it has begun. */
export function beginEvents(response: ServerResponse): void {
  if (!response.headersSent)
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' })
}

/** True when the client reads streams. */
export function acceptsEvents({ headers }: IncomingMessage): boolean {
  return /(?:^|,)\s*text\/event-stream\s*(?:[,;]|$)/i.test(headers.accept ?? '')
}

export function replyEmpty(response: ServerResponse, status: number): void {
  if (!response.headersSent && !response.destroyed) response.writeHead(status, { 'Content-Length': '0' }).end()
}

const STATUS: Readonly<Record<string, number>> = { timeout: 504 }
const WORDS: Readonly<Record<string, string>> = {
  unreachable: 'The upstream server cannot be reached',
  timeout: 'The upstream server did not answer in time',
  redirected: 'The upstream server redirects to another place',
  encoded: 'The upstream server sent what was not asked for',
  malformed_response: 'The answer of the server was malformed',
}

/** Ends an exchange whose answer does not come: recorded, and told to the client as far as it still listens. */
export function failExchange(exchange: Exchange, why: string, rest: Readonly<Record<string, unknown>> = {}): void {
  const { view, call, response } = exchange
  exchange.status = STATUS[why] ?? 502
  const error = { code: CODES.gone, message: WORDS[why] ?? 'The upstream server went away', data: { reason: why } }
  const lost = settleCall(exchange, why, rest)
  if (lost && call !== undefined) answer(view, { ...call, modern: false }, error)
  else if (!response.headersSent) replyJson(response, exchange.status, formatError(null, error))
  if (exchange.resumable) response.destroy()
  else response.end()
}

/** Takes the request of this exchange off the table when nothing has answered it; true when it was there. */
export function settleCall(exchange: Exchange, why: string, rest: Readonly<Record<string, unknown>> = {}): boolean {
  const { view, call, abort } = exchange
  if (call === undefined || view.calls.get(call.id) !== call || call.state === 'deciding') return false
  if (exchange.resumable) return false // it may come by another stream
  view.calls.delete(call.id)
  const left = abort.signal.aborted && view.gone === 'client_gone'
  if (left) view.stats.cancelled++
  noteFailure(view, call, left ? (call.modern ? 'cancelled' : 'client_gone') : why, rest)
  return true
}
