/**
 * One server process for one client over HTTP: requests become lines, lines become answers.
 *
 * The answer to a request ends its exchange; what the server says meanwhile goes along on the stream that the client
 * opened, or on that of the request asked last. In a session of the 2025 era a client that loses its connection does not
 * lose the call: it comes back with `Last-Event-ID` (`ways.ts`). In the stateless era a connection that ends cancels.
 * Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
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
import { fieldOf } from './headers.ts'
import { besideOf } from './identity-fields.ts'
import type { HttpFrontOptions } from './options.ts'
import { oneLine } from './sse.ts'
import { createWays, isListening, type Waiting, type Ways } from './ways.ts'

export interface StdioServerOptions extends HttpFrontOptions, Pick<ProxyOptions, 'command' | 'args' | 'env' | 'cwd'> {}

/** One server process with the HTTP answers that wait for it. */
export interface Seat {
  readonly principal: Principal
  readonly input: PassThrough
  readonly waiting: Map<Id, Waiting>
  readonly ways: Ways
  usedAt: number
  readonly ended: Promise<ProxyExit | undefined>
}

/** @param isSession it has a name, under which the client comes back */
export function openSeat(options: StdioServerOptions, principal: Principal, isSession: boolean): Seat {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const waiting: Seat['waiting'] = new Map()
  const own = { stdin: input, stdout: output, beside: besideOf((id) => waiting.get(id)), signals: { on() {}, off() {} } }
  const { user } = principal
  const who = user === undefined ? {} : { identity: { ...options.identity, user, user_source: 'token' } }
  const ended = runStdioProxy(Object.assign(extendRelay(options, own), who) as ProxyOptions & typeof own).catch(() => undefined)
  const seat: Seat = { principal, input, waiting, ways: createWays(isSession), usedAt: performance.now(), ended }
  const splitter = createSplitter({ onFrame: (line) => passOut(seat, line), onLost() {} })
  output.on('data', (chunk: Buffer) => splitter.push(chunk))
  void ended.then(() => closeAnswers(seat))
  return seat
}

/** True when no client listens to it. */
export function isIdle({ waiting, ways }: Seat): boolean {
  return !ways.isOpen && ![...waiting.values()].some(isListening)
}

/** A line of the server, or of the relay in its place. */
function passOut({ waiting, ways }: Seat, line: Buffer): void {
  const read = readFrame(line)
  const message = read.ok ? read.message : undefined
  const id = message?.kind === 'response' ? message.id : null
  const way = id === null ? undefined : waiting.get(id)
  if (id !== null) waiting.delete(id)
  if (way) ways.finish(way, line)
  else if (message?.kind !== 'response') {
    const all = [...waiting.values()]
    ways.say(all.findLast(isListening) ?? all.findLast(ways.isKept), line)
  }
}

function closeAnswers({ waiting, ways }: Seat): void {
  for (const [id, way] of waiting)
    ways.finish(way, formatError(id, { code: CODES.gone, message: 'The server exited', data: { reason: 'server_exited' } }), 502)
  waiting.clear()
  ways.close()
}

/** Hands a message to the server; a request keeps its exchange open until it is answered. */
export function passIn(seat: Seat, arrival: Arrival, message: Message, body: Buffer): void {
  const { response } = arrival
  const { waiting, ways, input } = seat
  seat.usedAt = performance.now()
  if (message.kind !== 'request') {
    input.write(toLine(body))
    replyEmpty(response, 202)
    return
  }
  const { id } = message
  if (waiting.has(id)) {
    refuseDuplicate(response)
    return
  }
  const isStateless = isModern(message.params)
  const way = ways.open(arrival, isStateless)
  waiting.set(id, way)
  response.once('close', () => {
    if (response.writableFinished || waiting.get(id) !== way || ways.isKept(way)) return
    waiting.delete(id)
    ways.forget(way)
    if (isStateless) input.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })}\n`)
  })
  input.write(toLine(body))
}

function refuseDuplicate(response: ServerResponse): void {
  const data = { detail: 'the id of a request in flight' }
  replyJson(response, 400, formatError(null, { code: -32600, message: 'Invalid request', data }))
}

function toLine(body: Buffer): Buffer {
  return Buffer.concat([oneLine(body), Buffer.from('\n')])
}

/** GET: what the server says of itself goes here from now on, or the rest of a stream that broke off. */
export function openStream({ ways, waiting }: Seat, { request, response }: Arrival): void {
  const from = fieldOf(request.headers, 'last-event-id')
  if (from !== undefined) {
    const data = { reason: 'event_gone', detail: 'no such event, or what came after it is not kept any more' }
    if (!ways.resume(from, response, waiting.values()))
      replyJson(response, 400, formatError(null, { code: CODES.gone, message: 'The stream cannot be taken up again', data }))
  } else if (!ways.listen(response)) replyJson(response, 409, formatError(null, { code: CODES.gone, message: 'There is a stream already' }))
}
