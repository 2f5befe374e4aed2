/**
 * A server behind HTTP that looks like a process: lines in, lines out. For clients that speak stdio.
 *
 * Each line becomes one POST; what comes back, as JSON or as events, becomes lines. The session, its stream of what the
 * server has to say, resumption and the fields that repeat the body are this module's; what is judged and recorded is the
 * relay's, as with any stdio server. A request that gets no answer gets an error.
 * Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { PassThrough, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { type Id, type Message, memberOf, readFrame } from '../frames/read.ts'
import { createSplitter, MAX_FRAME_BYTES } from '../frames/split.ts'
import { formatError } from '../frames/write.ts'
import type { ProxyExit } from '../relay/options.ts'
import type { ServerProcess } from '../relay/server-process.ts'
import { readBody } from './body.ts'
import { encodeField, fieldOf, mediaTypeOf, nameOf, versionOf } from './headers.ts'
import { LIMITS, type Limits } from './options.ts'
import { createEventReader, oneLine } from './sse.ts'
import { createUpstream, UpstreamError } from './upstream.ts'

export interface RemoteOptions {
  readonly url: URL
  /** Sent with every request, `Authorization` for one; never recorded. */
  readonly headers?: Readonly<Record<string, string>>
  readonly limits?: Limits
}

const LF = Buffer.from('\n')
const ACCEPT = ['Accept', 'application/json, text/event-stream']
const STREAM = ['Accept', 'text/event-stream']
const PLAIN = /^[\x21-\x7e]{1,64}$/
const RETRIES = 5
const RETRY_MS = 1000
const MAX_RETRY_MS = 30_000
const LEAVE_MS = 1000
const GONE = -32000

/** Where a stream stands. */
interface Place {
  id?: string
  retryMs: number
}

interface State {
  session?: string | undefined
  /** Negotiated with `initialize`; the stateless era has none. */
  version?: string | undefined
  /** The `initialize` that waits for its answer. */
  greeting?: Id
  closing: boolean
}

/** Opens the server; nothing is sent before the first line. */
export function openRemoteServer({ url, headers = {}, limits }: RemoteOptions): ServerProcess {
  const upstream = createUpstream(url, { ...LIMITS, ...limits })
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const all = new AbortController()
  const open = new Map<Id, AbortController>()
  const state: State = { closing: false }
  const own = Object.entries(headers).flat()
  let order: Promise<unknown> = Promise.resolve()
  const { promise: ended, resolve: resolveEnd } = Promise.withResolvers<ProxyExit>()

  function fields(extra: readonly string[], message?: Message): string[] {
    const version = (message && versionOf(message)) ?? state.version
    const session = state.session === undefined ? [] : ['Mcp-Session-Id', state.session]
    return [...own, ...extra, ...session, ...(version === undefined ? [] : ['MCP-Protocol-Version', version]), ...mirrored(message)]
  }

  const say = (line: Buffer) => void stdout.write(Buffer.concat([oneLine(line), LF]))

  /** True for the answer to `id`; that to `initialize` says which version holds. */
  function learn(json: Buffer, id: Id | undefined): boolean {
    const read = readFrame(oneLine(json))
    if (!read.ok || read.message.kind !== 'response' || id === undefined || read.message.id !== id) return false
    const version = memberOf(read.message.result, 'protocolVersion')
    if (id === state.greeting && typeof version === 'string' && PLAIN.test(version)) state.version = version
    return true
  }

  /** Reads a stream of events to its end; true when the answer to `id` was among them. */
  async function takeEvents(reply: IncomingMessage, place: Place, id: Id | undefined): Promise<boolean> {
    let answered = false
    const reader = createEventReader(
      (event) => {
        if (event.id) place.id = event.id
        if (event.retry !== undefined && /^\d{1,9}$/.test(event.retry)) place.retryMs = Math.min(Number(event.retry), MAX_RETRY_MS)
        if (event.data === undefined || event.passable === 'no') return
        if (learn(event.data, id)) answered = true
        say(event.data)
      },
      () => reply.destroy(),
    )
    try {
      for await (const chunk of reply) {
        reader.push(chunk as Buffer) // no encoding is set
        if (stdout.writableNeedDrain) await new Promise((resolve) => stdout.once('drain', resolve))
      }
    } catch {
      // broke off: the place tells whether it can be taken up again
    }
    return answered
  }

  /** Follows a stream from where it broke off until the answer is there; false: it cannot be had. */
  async function resume(place: Place, id: Id | undefined, signal: AbortSignal): Promise<boolean> {
    for (let tries = 0; tries < RETRIES && !signal.aborted; tries++) {
      await wait(place.retryMs, undefined, { signal, ref: false }).catch(() => {})
      const before = place.id
      const from = before === undefined ? [] : ['Last-Event-ID', before]
      const reply = await upstream
        .send({ method: 'GET', headers: fields([...STREAM, ...from]), signal, patient: true })
        .catch(() => undefined)
      if (reply === undefined) continue
      if (reply.statusCode !== 200 || mediaTypeOf(reply.headers['content-type']) !== 'text/event-stream') {
        reply.resume()
        return false
      }
      if (await takeEvents(reply, place, id)) return true
      if (place.id !== before) tries = 0
    }
    return false
  }

  async function takeReply(reply: IncomingMessage, message: Message, signal: AbortSignal): Promise<string | undefined> {
    const id = message.kind === 'request' ? message.id : undefined
    if (mediaTypeOf(reply.headers['content-type']) === 'text/event-stream' && reply.statusCode === 200) {
      const place: Place = { retryMs: RETRY_MS }
      if ((await takeEvents(reply, place, id)) || id === undefined) return undefined
      return place.id !== undefined && (await resume(place, id, signal)) ? undefined : 'broken'
    }
    const body = await readBody(reply, MAX_FRAME_BYTES)
    if (!body.ok) return body.why
    const answers = learn(body.bytes, id)
    if (answers) say(body.bytes)
    return answers || id === undefined ? undefined : `http_${reply.statusCode}`
  }

  async function post(message: Message, line: Buffer): Promise<void> {
    const id = message.kind === 'request' ? message.id : undefined
    const stop = new AbortController()
    if (id !== undefined) open.set(id, stop)
    const signal = AbortSignal.any([all.signal, stop.signal])
    let why: string | undefined
    try {
      const headersOut = fields(['Content-Type', 'application/json', ...ACCEPT], message)
      const sent = upstream.send({ method: 'POST', headers: headersOut, body: oneLine(line), signal })
      const reply = await sent
      state.session = fieldOf(reply.headers, 'mcp-session-id') ?? state.session
      why = await takeReply(reply, message, signal)
      if (why === undefined && message.kind === 'notification' && message.method === 'notifications/initialized') void listenOn()
    } catch (e) {
      why = e instanceof UpstreamError ? e.why : 'broken'
    }
    if (id === undefined) return
    open.delete(id)
    if (why !== undefined && !stop.signal.aborted)
      say(formatError(id, { code: GONE, message: 'The upstream gave no answer', data: { reason: why } }))
    if (state.closing && open.size === 0) end({ exitCode: 0, signal: null })
  }

  /** What the server has to say of itself, for as long as it wants to. */
  async function listenOn(): Promise<void> {
    await resume({ retryMs: 0 }, undefined, all.signal)
  }

  function take(line: Buffer): void {
    const read = readFrame(line)
    if (!read.ok) return // the relay lets nothing of the kind through
    const { message } = read
    const cancelled = message.kind === 'notification' && message.method === 'notifications/cancelled'
    const of = cancelled ? open.get(memberOf(message.params, 'requestId') as Id) : undefined // any other value finds nothing
    if (of !== undefined && state.version === undefined) {
      of.abort() // in the stateless era closing the request says it
      return
    }
    if (message.kind === 'request' && message.method === 'initialize') state.greeting = message.id
    const work = order.then(() => post(message, line))
    if (message.kind !== 'request' || message.method === 'initialize') order = work // what follows waits for it
  }

  /** The session is not needed any more. */
  async function leave(): Promise<void> {
    if (state.session === undefined) return
    const signal = AbortSignal.timeout(LEAVE_MS)
    await upstream.send({ method: 'DELETE', headers: fields([]), signal }).then(
      (reply) => reply.resume(),
      () => {}, // it will forget the session by itself
    )
  }

  function end(exit: ProxyExit): void {
    all.abort()
    void leave().finally(upstream.close)
    stderr.end()
    stdout.end(() => resolveEnd(exit))
  }
  const splitter = createSplitter({ onFrame: take, onLost: () => {} })
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      splitter.push(chunk)
      done()
    },
    final(done) {
      done()
      state.closing = true
      void order.then(() => open.size === 0 && end({ exitCode: 0, signal: null }))
    },
  })
  return {
    stdin,
    stdout,
    stderr,
    ended,
    kill: (signal) => end({ exitCode: null, signal }),
    stop(graceMs) {
      const timer = setTimeout(end, graceMs, { exitCode: 0, signal: null })
      void ended.then(() => clearTimeout(timer))
    },
  }
}

/** The fields of the stateless era that repeat the body, for gateways. */
function mirrored(message: Message | undefined): string[] {
  if (message?.kind !== 'request' || versionOf(message) === undefined) return []
  const name = nameOf(message)
  return ['Mcp-Method', message.method, ...(name === undefined ? [] : ['Mcp-Name', encodeField(name)])]
}
