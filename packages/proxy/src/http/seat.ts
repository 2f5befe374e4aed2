/**
 * One server process for one client over HTTP: requests become lines, lines become answers.
 *
 * The answer to a request ends its exchange; what the server says meanwhile goes along on the stream that the client
 * opened, or on that of the request asked last. Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
 * @module
 */
import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { type Id, type Message, readFrame } from '../frames/read.ts'
import { createSplitter } from '../frames/split.ts'
import { formatError } from '../frames/write.ts'
import { extendRelay } from '../relay/extend.ts'
import type { ProxyExit, ProxyOptions } from '../relay/options.ts'
import { runStdioProxy } from '../relay/run.ts'
import { CODES, isModern } from '../relay/session.ts'
import type { Principal } from './admit.ts'
import { type Arrival, replyEmpty, replyJson } from './exchange.ts'
import type { HttpFrontOptions } from './options.ts'
import { formatEvent, oneLine } from './sse.ts'

export interface StdioServerOptions extends HttpFrontOptions, Pick<ProxyOptions, 'command' | 'args' | 'env' | 'cwd'> {}

/** One server process with the HTTP answers that wait for it. */
export interface Seat {
  readonly principal: Principal
  readonly input: PassThrough
  readonly waiting: Map<Id, ServerResponse>
  /** Opened by the client with GET. */
  stream: ServerResponse | undefined
  usedAt: number
  readonly ended: Promise<ProxyExit | undefined>
}

export function openSeat(options: StdioServerOptions, principal: Principal): Seat {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const own = { stdin: input, stdout: output, signals: { on() {}, off() {} } }
  const { user } = principal
  const who = user === undefined ? {} : { identity: { ...options.identity, user, user_source: 'token' } }
  const ended = runStdioProxy(Object.assign(extendRelay(options, own), who) as ProxyOptions & typeof own).catch(() => undefined)
  const seat: Seat = { principal, input, waiting: new Map(), stream: undefined, usedAt: performance.now(), ended }
  const splitter = createSplitter({ onFrame: (line) => passOut(seat, line), onLost() {} })
  output.on('data', (chunk: Buffer) => splitter.push(chunk))
  void ended.then(() => closeAnswers(seat))
  return seat
}

/** A line of the server, or of the relay in its place. */
function passOut(seat: Seat, line: Buffer): void {
  const read = readFrame(line)
  const message = read.ok ? read.message : undefined
  const id = message?.kind === 'response' ? message.id : undefined
  const response = id === undefined || id === null ? (seat.stream ?? [...seat.waiting.values()].at(-1)) : seat.waiting.get(id)
  if (response === undefined || response.destroyed) return
  if (message?.kind !== 'response') writeEvent(response, line)
  else if (response.headersSent) response.end(formatEvent({}, line))
  else replyJson(response, 200, line)
  if (id !== undefined && id !== null) seat.waiting.delete(id)
}

function writeEvent(response: ServerResponse, line: Buffer): void {
  if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  response.write(formatEvent({}, line))
}

function closeAnswers(seat: Seat): void {
  for (const [id, response] of seat.waiting) {
    const error = formatError(id, { code: CODES.gone, message: 'The server exited', data: { reason: 'server_exited' } })
    if (response.headersSent) response.end(formatEvent({}, error))
    else replyJson(response, 502, error)
  }
  seat.waiting.clear()
  seat.stream?.end()
}

/** Hands a message to the server; a request keeps its exchange open until it is answered. */
export function passIn(seat: Seat, { response }: Arrival, message: Message, body: Buffer): void {
  seat.usedAt = performance.now()
  if (message.kind !== 'request') {
    seat.input.write(toLine(body))
    replyEmpty(response, 202)
    return
  }
  const { id } = message
  if (seat.waiting.has(id)) {
    replyJson(
      response,
      400,
      formatError(null, { code: -32600, message: 'Invalid request', data: { detail: 'the id of a request in flight' } }),
    )
    return
  }
  seat.waiting.set(id, response)
  response.once('close', () => {
    if (response.writableFinished || seat.waiting.get(id) !== response) return
    seat.waiting.delete(id)
    if (isStateless(message))
      seat.input.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })}\n`)
  })
  seat.input.write(toLine(body))
}

function isStateless(message: Message): boolean {
  return message.kind === 'request' && isModern(message.params)
}

function toLine(body: Buffer): Buffer {
  return Buffer.concat([oneLine(body), Buffer.from('\n')])
}

/** What the server says of itself goes here from now on. */
export function openStream(seat: Seat, { response }: Arrival): void {
  if (seat.stream !== undefined) {
    replyJson(response, 409, formatError(null, { code: CODES.gone, message: 'There is a stream already' }))
    return
  }
  seat.stream = response
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  response.flushHeaders()
  response.once('close', () => {
    seat.stream = undefined
  })
}
