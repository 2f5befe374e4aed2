/**
 * The upstream's answer on its way to the client: JSON whole, events one by one, in the form in which they came.
 *
 * Every message is looked through before the client sees it. An answer that is neither form is not passed on where a
 * message was expected; the text of a refusal is looked through as text.
 * Source: MCP "Streamable HTTP", relay/from-server.ts.
 * @module
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { readFrame } from '../frames/read.ts'
import { MAX_FRAME_BYTES } from '../frames/split.ts'
import { takeFromServer } from '../relay/from-server.ts'
import { refuseFromServer, refuseLost } from '../relay/refused.ts'
import { takesTokens } from '../relay/tokens.ts'
import { readBody } from './body.ts'
import { type Exchange, failExchange, replyJson, settleCall } from './exchange.ts'
import { fieldOf, mediaTypeOf, toClient } from './headers.ts'
import { relayEvents } from './stream.ts'

/** Text of a refusal that is passed on. */
const MAX_TEXT_BYTES = 256 * 1024

/** Passes the answer on; resolves when it is over. */
export async function relayReply(exchange: Exchange, reply: IncomingMessage): Promise<void> {
  const status = reply.statusCode ?? 502
  const ok = status >= 200 && status < 300
  const type = mediaTypeOf(reply.headers['content-type'])
  learnSession(exchange, reply, ok)
  if (ok && type === 'text/event-stream') await relayEvents(exchange, reply)
  else if (type === 'application/json') await relayJson(exchange, reply, status)
  else if (ok && exchange.call !== undefined) failMalformed(exchange, reply, 'an answer that is neither JSON nor an event stream')
  else await relayText(exchange, reply, status)
}

/** The name of the session as `initialize` was answered; its end when the server forgot it or was told to. */
function learnSession({ front, client, call, request }: Exchange, { headers, statusCode }: IncomingMessage, ok: boolean): void {
  if (ok && call?.method === 'initialize') front.sessions.name(client, fieldOf(headers, 'mcp-session-id'))
  if (ok && request.method === 'DELETE') front.sessions.end(client, 'deleted')
  if (statusCode === 404 && client.stateful) front.sessions.end(client, 'not_found')
}

function failMalformed(exchange: Exchange, reply: IncomingMessage, message: string): void {
  reply.destroy()
  refuseFromServer(exchange.view, { code: -32600, message, id: null, kind: 'unknown' })
  failExchange(exchange, 'malformed_response')
}

async function relayJson(exchange: Exchange, reply: IncomingMessage, status: number): Promise<void> {
  const body = await readBody(reply, MAX_FRAME_BYTES)
  if (!body.ok) {
    reply.destroy()
    if (body.why === 'too_large') refuseLost(exchange.view, 'too_long', 'response')
    return failExchange(exchange, body.why === 'too_large' ? 'malformed_response' : 'broken')
  }
  if (status >= 300 && !readFrame(body.bytes).ok) return endText(exchange, reply, status, body.bytes)
  const { response, view } = exchange
  exchange.status = status
  exchange.sink = (line) => send(exchange, reply, status, line)
  takeFromServer(view, body.bytes)
  if (response.writableEnded) settleCall(exchange, status < 300 ? 'malformed_response' : 'http_status', { error_code: status })
  else {
    exchange.sink = (line) => replyJson(response, exchange.status, line)
    failExchange(exchange, 'malformed_response')
  }
}

function send({ response, view }: Exchange, reply: IncomingMessage, status: number, body: Buffer): void {
  if (response.headersSent || response.destroyed) replyJson(response, status, body)
  else {
    const headers = toClient(reply.rawHeaders, reply.headers.connection, !takesTokens(view))
    response.writeHead(status, [...headers, 'Content-Length', String(body.length)]).end(body)
  }
}

/** No message: the acknowledgement of a notification, or a refusal in words. */
async function relayText(exchange: Exchange, reply: IncomingMessage, status: number): Promise<void> {
  const body = await readBody(reply, MAX_TEXT_BYTES)
  if (!body.ok) {
    reply.destroy()
    return failExchange(exchange, 'broken')
  }
  endText(exchange, reply, status, body.bytes)
}

function endText(exchange: Exchange, reply: IncomingMessage, status: number, bytes: Buffer): void {
  const rest = { error_code: status }
  if (exchange.response.headersSent)
    failExchange(exchange, 'http_status', rest) // a stream has no place for words
  else {
    settleCall(exchange, 'http_status', rest)
    send(exchange, reply, status, screenText(exchange, bytes))
  }
}

/** The text with what must not be seen masked, or nothing. */
function screenText({ view }: Exchange, bytes: Buffer): Buffer {
  if (bytes.length === 0 || view.gate === undefined) return bytes
  if (!isUtf8(bytes)) return Buffer.alloc(0)
  const text = bytes.toString('utf8')
  try {
    const { value, blocked } = view.gate.inspect(text, 'response')
    if (blocked || typeof value !== 'string') return Buffer.alloc(0)
    return value === text ? bytes : Buffer.from(value)
  } catch {
    return Buffer.alloc(0) // a gate that fails shows nothing
  }
}
