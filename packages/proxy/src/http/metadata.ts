/**
 * Pages about authorization, fetched from the upstream for clients that look for them at our address.
 *
 * They say where tokens are to be had and hold no secret; they pass as they are.
 * Source: RFC 9728 §3, RFC 8414 §3, MCP "Authorization".
 * @module
 */
import { readBody } from './body.ts'
import { type Arrival, replyEmpty } from './exchange.ts'
import { toClient } from './headers.ts'
import type { Upstream } from './upstream.ts'

const PAGES = /^\/\.well-known\/(?:oauth-protected-resource|oauth-authorization-server|openid-configuration)(?:\/[\w./~-]*)?$/
const MAX_BYTES = 256 * 1024

/** False when `path` is no such page. */
export function passMetadata(upstream: Upstream, { response }: Arrival, path: string): boolean {
  if (!PAGES.test(path) || path.includes('..')) return false
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  void fetchPage(upstream, path, stop.signal).then(
    ({ status, headers, bytes }) => {
      if (!response.destroyed) response.writeHead(status, [...headers, 'Content-Length', String(bytes.length)]).end(bytes)
    },
    () => replyEmpty(response, 502),
  )
  return true
}

async function fetchPage(upstream: Upstream, path: string, signal: AbortSignal) {
  const reply = await upstream.send({ method: 'GET', path, headers: ['Accept', 'application/json'], signal })
  const body = await readBody(reply, MAX_BYTES)
  if (!body.ok) throw new Error('no page')
  return { status: reply.statusCode ?? 502, headers: toClient(reply.rawHeaders, reply.headers.connection), bytes: body.bytes }
}
