/**
 * A server behind HTTP that looks like a process: lines in, lines out. For clients that speak stdio. Read this file first.
 *
 * Each line becomes one POST (`remote-post.ts`); what comes back, as JSON or as events, becomes lines. The session and
 * its fields (`remote-session.ts`), streams and their resumption (`remote-stream.ts`) are kept here; what is judged and
 * recorded is the relay's, as with any stdio server. A request that gets no answer gets an error.
 * Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
 * @module
 */
import { PassThrough, Writable } from 'node:stream'
import { type Id, type Message, memberOf, readFrame } from '../frames/read.ts'
import { createSplitter } from '../frames/split.ts'
import type { ProxyExit } from '../relay/options.ts'
import type { ServerProcess } from '../relay/server-process.ts'
import { LIMITS, type Limits } from './options.ts'
import { createParamFields } from './remote-params.ts'
import { createPost, type Remote } from './remote-post.ts'
import { createRemoteSession } from './remote-session.ts'
import { oneLine } from './sse.ts'
import { createUpstream } from './upstream.ts'

export interface RemoteOptions {
  readonly url: URL
  /** Sent with every request, `Authorization` for one; never recorded. */
  readonly headers?: Readonly<Record<string, string>>
  readonly limits?: Limits
  /** Takes a line for the operator. */
  readonly warn?: (line: string) => void
}

const LF = Buffer.from('\n')
const LEAVE_MS = 1000

/** Opens the server; nothing is sent before the first line. */
export function openRemoteServer(options: RemoteOptions): ServerProcess {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const all = new AbortController()
  const { promise: ended, resolve: resolveEnd } = Promise.withResolvers<ProxyExit>()
  const remote = createRemote(options, stdout, all.signal)
  let isOver = false
  const stdin = createInput(remote, () => end({ exitCode: 0, signal: null }))

  function end(exit: ProxyExit): void {
    if (isOver) return
    isOver = true
    all.abort()
    stderr.end()
    const left = leave(remote).finally(remote.upstream.close)
    stdout.end(() => void left.then(() => resolveEnd(exit)))
  }
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

function createRemote({ url, headers = {}, limits, warn = () => {} }: RemoteOptions, stdout: PassThrough, signal: AbortSignal): Remote {
  const params = createParamFields()
  return {
    upstream: createUpstream(url, { ...LIMITS, ...limits }),
    session: createRemoteSession(headers, params),
    params,
    signal,
    warn,
    say: (line) => void stdout.write(Buffer.concat([oneLine(line), LF])),
    async drained() {
      if (stdout.writableNeedDrain) await new Promise((resolve) => stdout.once('drain', resolve))
    },
  }
}

/** The client's lines. Requests go out beside each other, everything else in its order. */
function createInput(remote: Remote, onDone: () => void): Writable {
  const open = new Map<Id, AbortController>()
  const post = createPost(remote)
  let order: Promise<unknown> = Promise.resolve()
  let isClosing = false

  /** In the stateless era closing the request says that it is not wanted any more. */
  function cancel(message: Message): boolean {
    if (message.kind !== 'notification' || message.method !== 'notifications/cancelled' || remote.session.isNegotiated) return false
    const of = open.get(memberOf(message.params, 'requestId') as Id) // any other value finds nothing
    of?.abort()
    return of !== undefined
  }

  async function send(message: Message, line: Buffer): Promise<void> {
    const stop = new AbortController()
    if (message.kind !== 'request') return post(message, line, stop.signal)
    open.set(message.id, stop)
    await post(message, line, stop.signal)
    open.delete(message.id)
    if (isClosing && open.size === 0) onDone()
  }

  function take(line: Buffer): void {
    const read = readFrame(line)
    if (!read.ok || cancel(read.message)) return // the relay lets nothing through that cannot be read
    const { message } = read
    if (message.kind === 'request' && message.method === 'initialize') remote.session.greet(message.id)
    const work = order.then(() => send(message, line))
    if (message.kind !== 'request' || message.method === 'initialize') order = work // what follows waits for it
  }
  const splitter = createSplitter({ onFrame: take, onLost: () => {} })
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      splitter.push(chunk)
      done()
    },
    final(done) {
      done()
      isClosing = true
      void order.then(() => open.size === 0 && onDone())
    },
  })
}

/** The session is not needed any more. */
async function leave({ session, upstream }: Remote): Promise<void> {
  if (!session.isNamed) return
  try {
    const reply = await upstream.send({ method: 'DELETE', headers: session.fields([]), signal: AbortSignal.timeout(LEAVE_MS) })
    reply.resume()
  } catch {
    // it will forget the session by itself
  }
}
