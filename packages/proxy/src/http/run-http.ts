/**
 * The HTTP proxy, whole: many clients, one upstream, one recorder. Read this file first.
 *
 * Whoever comes in is admitted or not (listener, admit), its message is judged, recorded and passed (pass), the answer is
 * looked through and passed (reply, stream). Sizes, numbers and times are bounded (options).
 * Source: MCP 2025-11-25 and 2026-07-28 "Streamable HTTP".
 * @module
 */
import { warnOf } from '../relay/create-session.ts'
import { type Front, failExchange } from './exchange.ts'
import { openListener } from './listener.ts'
import { passMetadata } from './metadata.ts'
import { type HttpProxy, type HttpProxyOptions, LIMITS } from './options.ts'
import { passBodiless, passMessage } from './pass.ts'
import { createRefusals } from './refusals.ts'
import { createSessions } from './sessions.ts'
import { checkUpstream, createUpstream } from './upstream.ts'

const SWEEP_MS = 60_000

/**
 * Listens, and relays between every client that comes and the upstream until it is closed. The path of `url` is that of
 * the upstream. Nothing of a header field is recorded.
 *
 * @throws SwornError CONFIG_INVALID when the upstream is no such address, or when others could reach `listen` without a
 * token or certificate; IO_FAILED when the address is taken
 */
export async function openHttpProxy(options: HttpProxyOptions): Promise<HttpProxy> {
  checkUpstream(options.upstream)
  const limits = { ...LIMITS, ...options.limits }
  const upstream = createUpstream(options.upstream, limits)
  const sessions = createSessions(options, limits)
  const front: Front = { upstream, sessions, limits, open: new Set() }
  const refusals = createRefusals(options)
  const { pathname, search } = options.upstream
  const listener = await openListener(options, limits, `${pathname}${search}`, {
    message: (arrival, body) => passMessage(front, arrival, body),
    bodiless: (arrival) => passBodiless(front, arrival),
    elsewhere: (arrival, path) => passMetadata(upstream, arrival, path),
    refused: refusals.note,
    isFull: () => refusals.full,
  })
  warnOf(options)
  const timer = setInterval(sessions.sweep, SWEEP_MS)
  timer.unref()
  return {
    url: listener.url,
    async close() {
      clearInterval(timer)
      for (const exchange of front.open) {
        exchange.resumable = false
        failExchange(exchange, 'proxy_closed')
        exchange.call?.abandon?.()
        exchange.abort.abort()
      }
      await Promise.all([sessions.close(), refusals.close()])
      upstream.close()
      await listener.close()
    },
  }
}
