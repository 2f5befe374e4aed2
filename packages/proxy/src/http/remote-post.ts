/**
 * One message of the client as one POST, and its answer on the way back, whatever form it takes.
 *
 * Never rejects: a request that gets no answer is answered with an error that says why.
 * Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { type Id, type Message, memberOf, readFrame } from '../frames/read.ts'
import { MAX_FRAME_BYTES } from '../frames/split.ts'
import { formatError, formatWithout } from '../frames/write.ts'
import { readBody } from './body.ts'
import { HEADER_MISMATCH, versionOf } from './headers.ts'
import type { ParamFields } from './remote-params.ts'
import type { RemoteSession } from './remote-session.ts'
import { isStream, listenForever, readStream, resumeStream, type StreamOptions, startOfStream } from './remote-stream.ts'
import { oneLine } from './sse.ts'
import { type Upstream, UpstreamError } from './upstream.ts'

/** What all messages to one server share. */
export interface Remote {
  readonly upstream: Upstream
  readonly session: RemoteSession
  readonly params: ParamFields
  /** Ends with the client. */
  readonly signal: AbortSignal
  /** Hands one message to the client. */
  readonly say: (json: Buffer) => void
  readonly drained: () => Promise<void>
  readonly warn: (line: string) => void
}

const FORM = ['Content-Type', 'application/json', 'Accept', 'application/json, text/event-stream']
const GONE = -32000
/** Pages of tools that are read for one call. */
const MAX_PAGES = 16

/** Why there is no answer; undefined: there is one. */
type Lack = string | undefined

/** One exchange: what was sent, and what is made of a message that comes back. */
interface Sending {
  readonly message: Message
  readonly line: Buffer
  readonly signal: AbortSignal
  /** True for the answer to the message. */
  readonly take: (json: Buffer) => boolean
}

export function createPost(remote: Remote): (message: Message, line: Buffer, stop: AbortSignal) => Promise<void> {
  return async (message, line, stop) => {
    const signal = AbortSignal.any([remote.signal, stop])
    const why = await exchange(remote, { message, line, signal, take: (json) => passOn(remote, message, json) })
    if (message.kind === 'notification' && message.method === 'notifications/initialized' && why === undefined)
      void listenForever(streamOf(remote, { signal: remote.signal, take: (json) => passOn(remote, message, json) }))
    if (message.kind !== 'request' || why === undefined || stop.aborted) return
    remote.say(formatError(message.id, { code: GONE, message: 'The upstream gave no answer', data: { reason: why } }))
  }
}

function streamOf({ upstream, session, drained }: Remote, { signal, take }: Pick<Sending, 'signal' | 'take'>): StreamOptions {
  return { upstream, session, drained, signal, take }
}

/** Hands a message of the server to the client; true when it answers `asked`. */
function passOn(remote: Remote, asked: Message, json: Buffer): boolean {
  const read = readFrame(oneLine(json))
  const answers = read.ok && read.message.kind === 'response' && asked.kind === 'request' && read.message.id === asked.id
  if (!answers) {
    remote.say(json)
    return false
  }
  remote.session.hearAnswer(read.message)
  remote.say(learnTools(remote, asked, read.message.result, json))
  return true
}

/** The answer without the tools that no client of the stateless era may use. */
function learnTools({ params, warn }: Remote, asked: Message, result: unknown, json: Buffer): Buffer {
  if (asked.kind !== 'request' || asked.method !== 'tools/list' || versionOf(asked) === undefined) return json
  const unusable = params.learn(result)
  if (unusable.length === 0) return json
  for (const { place, why } of unusable) warn(`tool ${place} of the server's list is left out: x-mcp-header is ${why}`)
  return formatWithout(oneLine(json), ['result', 'tools'], new Set(unusable.map(({ place }) => place)))
}

async function exchange(remote: Remote, sending: Sending, isRetry = false): Promise<Lack> {
  const { message, line, signal } = sending
  try {
    const headers = remote.session.fields(FORM, message)
    const reply = await remote.upstream.send({ method: 'POST', headers, body: oneLine(line), signal })
    remote.session.hearFields(reply.headers)
    return await takeReply(remote, sending, reply, isRetry)
  } catch (e) {
    return e instanceof UpstreamError ? e.why : 'broken'
  }
}

async function takeReply(remote: Remote, sending: Sending, reply: IncomingMessage, isRetry: boolean): Promise<Lack> {
  const { message, take } = sending
  if (isStream(reply)) return takeStream(remote, sending, reply)
  const body = await readBody(reply, MAX_FRAME_BYTES)
  if (!body.ok) return body.why
  if (!isRetry && reply.statusCode === 400 && isMismatch(body.bytes) && (await learnFor(remote, sending)))
    return exchange(remote, sending, true)
  if (message.kind !== 'request' || answersTo(message.id, body.bytes)) {
    if (message.kind === 'request') take(body.bytes)
    return undefined
  }
  return `http_${reply.statusCode}`
}

async function takeStream(remote: Remote, sending: Sending, reply: IncomingMessage): Promise<Lack> {
  const { message } = sending
  const place = startOfStream()
  const stream = streamOf(remote, sending)
  if ((await readStream(stream, reply, place)) || message.kind !== 'request') return undefined
  const canResume = place.id !== undefined && versionOf(message) === undefined // the stateless era has no way back
  return canResume && (await resumeStream(stream, place)) ? undefined : 'broken'
}

function answersTo(id: Id, json: Buffer): boolean {
  const read = readFrame(oneLine(json))
  return read.ok && read.message.kind === 'response' && read.message.id === id
}

function isMismatch(json: Buffer): boolean {
  const read = readFrame(oneLine(json))
  return read.ok && read.message.kind === 'response' && memberOf(read.message.error, 'code') === HEADER_MISMATCH
}

/**
 * A server wants fields for a tool that this client never listed: asks for the list, for the call to be sent once more.
 * False: the tool's fields are as unknown as before, or were right.
 */
async function learnFor(remote: Remote, { message, signal }: Sending): Promise<boolean> {
  if (message.kind !== 'request' || message.method !== 'tools/call' || versionOf(message) === undefined) return false
  const before = String(remote.params.of(message))
  let cursor: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const params = { _meta: memberOf(message.params, '_meta'), ...(typeof cursor === 'string' && { cursor }) }
    const asked = { kind: 'request', id: `sworn-tools-${page}`, method: 'tools/list', params } as const
    cursor = await learnPage(remote, asked, signal)
    if (typeof cursor !== 'string') break
  }
  return String(remote.params.of(message)) !== before
}

/** The cursor of the next page. */
async function learnPage(remote: Remote, asked: Message & { readonly kind: 'request' }, signal: AbortSignal): Promise<unknown> {
  const { id, method, params } = asked
  let next: unknown
  const take = (json: Buffer) => {
    const read = readFrame(oneLine(json))
    if (!read.ok || read.message.kind !== 'response' || read.message.id !== id) return false
    remote.params.learn(read.message.result)
    next = memberOf(read.message.result, 'nextCursor')
    return true
  }
  const line = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
  await exchange(remote, { message: asked, line, signal, take }, true)
  return next
}
