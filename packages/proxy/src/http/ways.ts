/**
 * The ways from one server process to its client: the stream of each request, and the one of what the server says of itself.
 *
 * In a session every event has an id and is kept for a while, so that a client whose connection broke hears the rest. A
 * request that is not answered within a moment begins its stream with an id, for the same reason. What the server says
 * while nobody listens waits for whoever does. A client that does not read is cut off and may come back.
 * Source: MCP 2025-11-25 "Streamable HTTP" (resumability, priming events).
 * @module
 */
import type { ServerResponse } from 'node:http'
import { type Arrival, acceptsEvents, beginEvents, replyJson } from './exchange.ts'
import { fieldOf } from './headers.ts'
import { createKeptEvents } from './kept-events.ts'
import { formatEvent } from './sse.ts'

/** A request without its answer. */
export interface Waiting extends Omit<Arrival, 'response'> {
  /** Where its client listens; another one after it came back. */
  response: ServerResponse
  /** Its stream among the kept ones; absent: a connection that ends is the end. */
  readonly stream?: string
}

export interface Ways {
  /** The client listens to what the server says of itself. */
  readonly isOpen: boolean
  open(arrival: Arrival, isStateless: boolean): Waiting
  /** Its client may come back: it has heard an id. */
  isKept(way: Waiting): boolean
  /** Nobody comes back to it. */
  forget(way: Waiting): void
  /** Something that answers no request; `way`: the one to which it may belong. */
  say(way: Waiting | undefined, line: Buffer): void
  /** The answer. */
  finish(way: Waiting, line: Buffer, status?: number): void
  /** False: somebody listens already. */
  listen(response: ServerResponse): boolean
  /** Writes what came after the event `from`, and goes on; false: that cannot be had. */
  resume(from: string, response: ServerResponse, waiting: Iterable<Waiting>): boolean
  close(): void
}

/** The first version whose clients take an event without data. */
const PRIMED = '2025-11-25'
const PRIME_MS = 250
const MAX_UNSENT_BYTES = 16 * 1024 * 1024

const isAlive = (response: ServerResponse | undefined): response is ServerResponse =>
  response !== undefined && !response.destroyed && !response.writableEnded

export function isListening({ response }: Waiting): boolean {
  return isAlive(response)
}

function write(response: ServerResponse, event: Buffer): void {
  beginEvents(response)
  response.write(event)
  if (response.writableLength > MAX_UNSENT_BYTES) response.destroy()
}

/** @param isSession the client can name the session, and so come back to it */
export function createWays(isSession: boolean): Ways {
  const kept = createKeptEvents()
  const own = kept.open()
  let listener: ServerResponse | undefined
  /** The newest event before those that nobody was there for. */
  let heard: string | undefined

  function sayOfItself(line: Buffer): void {
    const before = kept.newest(own)
    const event = kept.add(own, line)
    if (isAlive(listener)) write(listener, event)
    else heard ??= before
  }

  function attach(response: ServerResponse): void {
    listener = response
    heard = undefined
    response.once('close', () => {
      if (listener === response) listener = undefined
    })
  }

  function prime(way: Waiting, stream: string): void {
    const timer = setTimeout(() => {
      if (isAlive(way.response) && !way.response.headersSent) write(way.response, kept.add(stream, undefined))
    }, PRIME_MS)
    way.response.once('close', () => clearTimeout(timer))
  }

  return {
    get isOpen() {
      return isAlive(listener)
    },
    open(arrival, isStateless) {
      if (!isSession || isStateless || !acceptsEvents(arrival.request)) return { ...arrival }
      const stream = kept.open()
      const way = { ...arrival, stream }
      if ((fieldOf(arrival.request.headers, 'mcp-protocol-version') ?? '') >= PRIMED) prime(way, stream)
      return way
    },
    isKept: ({ stream, response }) => stream !== undefined && response.headersSent,
    forget({ stream }) {
      if (stream !== undefined) kept.end(stream)
    },
    say(way, line) {
      if (isAlive(listener) || way === undefined) sayOfItself(line)
      else {
        const event = way.stream === undefined ? formatEvent({}, line) : kept.add(way.stream, line)
        if (isAlive(way.response)) write(way.response, event)
      }
    },
    finish({ response, stream }, line, status = 200) {
      if (stream === undefined || !response.headersSent) replyJson(response, status, line)
      else {
        const event = kept.add(stream, line)
        if (isAlive(response)) response.end(event)
      }
      if (stream !== undefined) kept.end(stream)
    },
    listen(response) {
      if (isAlive(listener)) return false
      const missed = heard === undefined ? undefined : kept.after(heard)
      beginEvents(response)
      response.flushHeaders()
      for (const event of missed?.events ?? []) response.write(event)
      attach(response)
      return true
    },
    resume(from, response, waiting) {
      const found = isSession ? kept.after(from) : undefined
      if (found === undefined) return false
      beginEvents(response)
      response.flushHeaders()
      for (const event of found.events) response.write(event)
      const way = [...waiting].find(({ stream }) => stream === found.stream)
      if (found.stream === own) {
        listener?.destroy() // one reader a stream: the newest
        attach(response)
      } else if (way === undefined) response.end()
      else {
        way.response.destroy()
        way.response = response
      }
      return true
    },
    close() {
      listener?.end()
    },
  }
}
