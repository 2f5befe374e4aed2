/**
 * A client's HTTP request on its way to the upstream.
 *
 * A message goes the way that a line goes over stdio: judged, recorded, and only then sent, as the bytes that came.
 * A call whose client goes away is not sent any more; one that was sent has its outcome recorded as what it was.
 * Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP", relay/from-client.ts.
 * @module
 */
import { type Id, type Message, type Read, readFrame } from '../frames/read.ts'
import { formatError } from '../frames/write.ts'
import { takeRead } from '../relay/from-client.ts'
import { CODES } from '../relay/session.ts'
import { takesTokens } from '../relay/tokens.ts'
import { type Arrival, acceptsEvents, beginEvents, type Exchange, type Front, failExchange, replyEmpty, replyJson } from './exchange.ts'
import { findMismatch, HEADER_MISMATCH, toUpstream } from './headers.ts'
import { besideOf, isIdentityBearer } from './identity-fields.ts'
import { relayReply } from './reply.ts'
import type { ClientSession } from './sessions.ts'
import { formatEvent } from './sse.ts'
import { UpstreamError } from './upstream.ts'
import { createView, outletTo } from './view.ts'

const EMPTY = Buffer.alloc(0)

function createExchange(front: Front, arrival: Arrival, client: ClientSession, read: Read | undefined, body: Buffer): Exchange {
  const exchange: Exchange = {
    ...arrival,
    front,
    client,
    read,
    body,
    abort: new AbortController(),
    view: createView(client, {
      toClient: outletTo((line) => exchange.sink(line), acceptsEvents(arrival.request) ? (line) => sayAside(exchange, line) : undefined),
      toServer: outletTo((line) => {
        if (exchange.sent || read === undefined) void tell(exchange, line)
        else exchange.work = forward(exchange, line)
      }),
      beside: besideOf(() => arrival),
      onQueued: () => {
        exchange.queued = true
      },
    }),
    call: undefined,
    sink: (line) => replyJson(arrival.response, exchange.status, line),
    status: 200,
    resumable: false,
    queued: false,
    sent: false,
    work: undefined,
  }
  return exchange
}

/** A message of ours before the answer, which is a stream from here on. @throws Error when the client has gone */
function sayAside({ response }: Exchange, line: Buffer): void {
  if (response.destroyed || response.writableEnded) throw new Error('nobody listens')
  beginEvents(response)
  response.write(formatEvent({}, line))
}

/** The client's fields for the upstream; `keepParams` unless the body is not the one that they repeat. */
function fieldsOf({ request, principal, view }: Exchange, keepParams: boolean): string[] {
  const { rawHeaders: raw, headers } = request
  const keepIdentity = !takesTokens(view)
  const keepAuthorization = !principal.consumed && (keepIdentity || !isIdentityBearer(headers.authorization))
  return toUpstream({ raw, connection: headers.connection, keepAuthorization, keepIdentity, keepParams })
}

async function forward(exchange: Exchange, line: Buffer): Promise<void> {
  const { front, request, read, body, abort } = exchange
  exchange.sent = true
  const method = request.method ?? 'POST'
  const patient = read === undefined
  const headers = fieldsOf(exchange, line === body)
  try {
    const reply = await front.upstream.send({ method, headers, ...(patient ? { patient } : { body: line }), signal: abort.signal })
    await relayReply(exchange, reply)
  } catch (e) {
    failExchange(exchange, e instanceof UpstreamError ? e.why : 'broken')
  }
}

/** A message of ours for the server, beside what the client sent: the answer to a request that was held back. */
async function tell(exchange: Exchange, body: Buffer): Promise<void> {
  const kept = fieldsOf(exchange, false)
  const headers = ['Content-Type', 'application/json', 'Accept', 'application/json, text/event-stream']
  for (let n = 0; n + 1 < kept.length; n += 2)
    if (/^(?:authorization|cookie|mcp-session-id|mcp-protocol-version)$/i.test(kept[n]!)) headers.push(kept[n]!, kept[n + 1]!)
  try {
    const signal = AbortSignal.timeout(exchange.front.limits.answerMs)
    const reply = await exchange.front.upstream.send({ method: 'POST', headers, body, signal })
    reply.resume()
  } catch {
    // the server waits for an answer that does not come; its own time limit ends that
  }
}

/** Resolves when the answer is whole or the client went away, which stops the upstream too. */
function closed(exchange: Exchange): Promise<void> {
  const { response, view, abort } = exchange
  return new Promise((resolve) => {
    response.once('close', () => {
      if (!response.writableFinished) {
        view.gone = 'client_gone'
        exchange.call?.abandon?.()
        abort.abort()
      }
      resolve()
    })
  })
}

async function run(exchange: Exchange, begin: () => void): Promise<void> {
  const { client, front } = exchange
  client.open++
  front.open.add(exchange)
  const over = closed(exchange)
  begin()
  await over
  await exchange.work
  front.open.delete(exchange)
  front.sessions.leave(client)
}

/** Passes one POST with its body. Resolves when the exchange is over; never rejects. */
export async function passMessage(front: Front, arrival: Arrival, body: Buffer): Promise<void> {
  const read = readFrame(body)
  const message = read.ok ? read.message : undefined
  const client = front.sessions.find(arrival.principal, arrival.request.headers, message)
  if (client === undefined) return refuseSession(arrival, message?.kind === 'request' ? message.id : null)
  const exchange = createExchange(front, arrival, client, read, body)
  const mismatch = message && findMismatch(arrival.request.headers, message)
  await run(exchange, () => (message && mismatch !== undefined ? refuseMismatch(exchange, message, mismatch) : pass(exchange, read)))
}

/** Passes a GET (a stream of what the server has to say, perhaps from where another broke off) or a DELETE. */
export async function passBodiless(front: Front, arrival: Arrival): Promise<void> {
  const client = front.sessions.find(arrival.principal, arrival.request.headers, undefined)
  if (client === undefined) return refuseSession(arrival, null)
  const exchange = createExchange(front, arrival, client, undefined, EMPTY)
  await run(exchange, () => {
    exchange.work = forward(exchange, EMPTY)
  })
}

function refuseSession({ response }: Arrival, id: Id | null): void {
  replyJson(response, 404, formatError(id, { code: CODES.denied, message: 'Session not found' }))
}

function pass(exchange: Exchange, read: Read): void {
  const { view, response } = exchange
  if (!read.ok) exchange.status = 400
  takeRead(view, read, exchange.body)
  if (response.headersSent) return
  if (read.ok && read.message.kind === 'request') exchange.call = view.calls.get(read.message.id)
  else if (!exchange.sent && !exchange.queued) replyEmpty(response, read.ok ? 202 : 400) // refused, and never answered
}

/** Fields and body say two things: this is no one request. */
function refuseMismatch(exchange: Exchange, message: Message, reason: string): void {
  const { view, response } = exchange
  view.stats.malformed++
  const about = message.kind === 'response' ? {} : { method: message.method }
  const id = message.kind === 'request' ? message.id : null
  const decided = { decision: 'deny', reason, reason_code: 'malformed_request', error_code: HEADER_MISMATCH, direction: 'request' }
  view.audit.note({ event_type: 'method_blocked', ...about, ...(id === null ? {} : { rpc_id: id }), ...decided })
  const data = { reason: 'malformed_request', detail: reason }
  replyJson(response, 400, formatError(id, { code: HEADER_MISMATCH, message: 'Header mismatch', data }))
}
