/**
 * A stream of events from the upstream to the client, as fast as the client and the recorder take it.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { takeFromServer } from '../relay/from-server.ts'
import { refuseFromServer, refuseLost } from '../relay/refused.ts'
import { takesTokens } from '../relay/tokens.ts'
import { type Exchange, failExchange } from './exchange.ts'
import { toClient } from './headers.ts'
import { createEventReader, formatEvent, type SseEvent } from './sse.ts'

/** Passes events on until one side ends. */
export async function relayEvents(exchange: Exchange, reply: IncomingMessage): Promise<void> {
  const { response, view } = exchange
  const fields = toClient(reply.rawHeaders, reply.headers.connection, !takesTokens(view))
  if (!response.headersSent) response.writeHead(reply.statusCode ?? 200, fields)
  const headersAlone = setImmediate(() => response.flushHeaders()) // with the first event when that is here already: one write less
  const flow = createFlow(exchange, reply)
  exchange.sink = (line) => flow.write(formatEvent({}, line))
  let lost = false
  const reader = createEventReader(
    (event) => passEvent(exchange, event, flow.write),
    () => {
      lost = true
      refuseLost(exchange.view, 'too_long', 'response')
      reply.destroy()
    },
  )
  const whole = await readAll(reply, (chunk) => {
    if (reply.complete) holdWrites(response)
    reader.push(chunk)
    flow.balance()
  })
  clearImmediate(headersAlone)
  flow.stop()
  endEvents(exchange, whole, lost)
}

/** What is written now leaves with the end of the answer, which is here already, and in this turn at the latest. */
function holdWrites({ socket }: ServerResponse): void {
  if (!socket || socket.writableCorked > 0) return
  socket.cork()
  setImmediate(() => socket.uncork()) // nothing once the end has let everything go
}

function endEvents(exchange: Exchange, whole: boolean, lost: boolean): void {
  const { call, view, response } = exchange
  if (lost) exchange.resumable = false
  const waits = call !== undefined && view.calls.get(call.id) === call
  if (lost || (waits && !exchange.resumable)) failExchange(exchange, lost ? 'malformed_response' : 'broken')
  else if (whole || (call !== undefined && !waits)) response.end()
  else response.destroy()
}

/** True when the body came to its end, false when it broke off. */
function readAll(reply: IncomingMessage, take: (chunk: Buffer) => void): Promise<boolean> {
  return new Promise((resolve) => {
    reply.on('data', take)
    reply.once('end', () => resolve(true))
    reply.once('error', () => resolve(false))
    reply.once('close', () => resolve(reply.complete))
  })
}

function passEvent(exchange: Exchange, event: SseEvent, write: (bytes: Buffer) => void): void {
  const { view, call, client } = exchange
  if (event.id && client.stateful && !call?.modern) exchange.resumable = true
  if (event.passable === 'no') {
    refuseFromServer(view, { code: -32600, message: 'a carriage return inside an event', id: null, kind: 'unknown' })
    return
  }
  if (event.data === undefined) {
    if (event.passable === 'as-is') write(event.raw)
    else if (event.id !== undefined || event.retry !== undefined) write(formatEvent(event, undefined))
    return
  }
  let about: Pick<SseEvent, 'id' | 'event' | 'retry'> = event
  exchange.sink = (line) => {
    const same = line === event.data && event.passable === 'as-is'
    write(same ? event.raw : formatEvent(about, line))
    about = {}
  }
  takeFromServer(view, event.data)
}

interface Flow {
  write(bytes: Buffer): void
  /** Holds the upstream while the client or the recorder is behind. */
  balance(): void
  stop(): void
}

function createFlow({ response, view, client, front }: Exchange, reply: IncomingMessage): Flow {
  let blocked = false
  let timer: NodeJS.Timeout | undefined

  function balance(): void {
    if (blocked || view.audit.full) reply.pause()
    else reply.resume()
  }
  function free(): void {
    blocked = false
    clearTimeout(timer)
    balance()
  }
  response.on('drain', free)
  client.waiting.add(balance)
  return {
    write(bytes) {
      if (response.destroyed || response.write(bytes) || blocked) return
      blocked = true
      timer = setTimeout(() => response.destroy(), front.limits.slowClientMs)
    },
    balance,
    stop() {
      clearTimeout(timer)
      response.off('drain', free)
      client.waiting.delete(balance)
    },
  }
}
