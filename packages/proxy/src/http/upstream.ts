/**
 * Requests to the server behind the proxy: kept-alive connections, bounds in time, redirects within its own origin.
 *
 * A redirect to another origin is an error: what was decided for this server is not decided for that one.
 * Source: RFC 9110 §15.4 (307 and 308 keep method and body).
 * @module
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { SwornError } from '@sworn/recorder'
import type { Limits } from './options.ts'

/** Why there is no answer; a word for records and for the client. */
export type Failure = 'unreachable' | 'timeout' | 'redirected' | 'encoded'

export class UpstreamError extends Error {
  readonly why: Failure
  constructor(why: Failure) {
    super(`the upstream gave no answer: ${why}`)
    this.name = 'UpstreamError'
    this.why = why
  }
}

export interface Outgoing {
  readonly method: string
  /** Path with query; default: that of the upstream. */
  readonly path?: string
  /** Flat: name, value, name, value; without Host and Content-Length. */
  readonly headers: readonly string[]
  readonly body?: Buffer
  readonly signal: AbortSignal
  /** No limit on silence: a stream that waits for what the server has to say. */
  readonly patient?: boolean
}

export interface Upstream {
  readonly url: URL
  /** @throws UpstreamError */
  send(outgoing: Outgoing): Promise<http.IncomingMessage>
  close(): void
}

const MAX_REDIRECTS = 3
const MAX_SOCKETS = 512

/** @throws SwornError CONFIG_INVALID when the address is not one that can be proxied */
export function checkUpstream(url: URL): void {
  const ok = (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '' && url.hash === ''
  if (!ok) throw new SwornError('CONFIG_INVALID', 'an http or https address without credentials and fragment was expected', 'url')
}

export function createUpstream(url: URL, { answerMs, connectMs }: Pick<Required<Limits>, 'answerMs' | 'connectMs'>): Upstream {
  const secure = url.protocol === 'https:'
  const agent = new (secure ? https.Agent : http.Agent)({ keepAlive: true, maxSockets: MAX_SOCKETS, noDelay: true })
  const request = secure ? https.request : http.request
  const hostname = url.hostname.replace(/^\[|\]$/g, '')

  function once(path: string, { method, headers, body, signal, patient }: Outgoing): Promise<http.IncomingMessage> {
    const length = body === undefined ? [] : ['Content-Length', String(body.length)]
    const all = ['Host', url.host, 'Accept-Encoding', 'identity', ...headers, ...length]
    return new Promise((resolve, reject) => {
      let why: Failure = 'unreachable'
      const outgoing = request({
        hostname,
        port: url.port,
        path,
        method,
        headers: all,
        agent,
        signal,
        setHost: false,
      } as http.RequestOptions)
      const giveUp = () => {
        why = 'timeout'
        outgoing.destroy()
      }
      if (!patient) outgoing.setTimeout(answerMs, giveUp)
      outgoing.once('socket', (socket) => {
        if (!socket.connecting) return
        const timer = setTimeout(giveUp, connectMs)
        socket.once('connect', () => clearTimeout(timer))
        socket.once('close', () => clearTimeout(timer))
      })
      outgoing.once('response', resolve)
      outgoing.on('error', () => reject(new UpstreamError(why)))
      outgoing.end(body)
    })
  }

  /** The path of a redirect that stays here. */
  function pathOf(location: string | undefined, from: string): string | undefined {
    const target =
      location !== undefined && URL.canParse(location, `${url.origin}${from}`) ? new URL(location, `${url.origin}${from}`) : undefined
    return target?.origin === url.origin ? `${target.pathname}${target.search}` : undefined
  }

  return {
    url,
    async send(outgoing) {
      let path = outgoing.path ?? `${url.pathname}${url.search}`
      for (let n = 0; n <= MAX_REDIRECTS; n++) {
        const answer = await once(path, outgoing)
        const status = answer.statusCode ?? 0
        if (status < 300 || status >= 400 || status === 304) return checkEncoding(answer)
        answer.resume()
        const next = status === 307 || status === 308 ? pathOf(answer.headers.location, path) : undefined
        if (next === undefined) break
        path = next
      }
      throw new UpstreamError('redirected')
    },
    close: () => agent.destroy(),
  }
}

/** We asked for plain bytes; what is packed cannot be looked into. */
function checkEncoding(answer: http.IncomingMessage): http.IncomingMessage {
  const encoding = answer.headers['content-encoding']
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return answer
  answer.destroy()
  throw new UpstreamError('encoded')
}
