/**
 * Pages of named origins: what their browser asks before a request, and what it may show them of the answer.
 *
 * Only origins that the operator named: a page of this machine may call (admit.ts), but its browser is told nothing.
 * A browser asks without credentials, so nobody is identified here; nothing is done either.
 * Source: WHATWG Fetch §3.2 (CORS), MCP "Streamable HTTP" security.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { IDENTITY_FIELD } from './headers.ts'

// biome-ignore format: a table, read by its columns
const FIELDS = new Set([
  'accept', 'authorization', 'content-type', 'last-event-id', 'mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id',
  'proxy-authorization', 'traceparent', 'tracestate', IDENTITY_FIELD.toLowerCase(),
])
const EXPOSED = ['Mcp-Session-Id', 'MCP-Protocol-Version', 'Retry-After', 'WWW-Authenticate', IDENTITY_FIELD].join(', ')
const PARAM = /^mcp-param-[\w!#$%&'*+.^`|~-]{1,128}$/
const MAX_AGE_S = 600

export interface Cors {
  /** Lets the page of a named origin read the answer, whatever it will be. */
  mark(request: IncomingMessage, response: ServerResponse): void
  /** Answers what a browser asks before a request of such a page; false: it is nothing of the kind. */
  preflight(request: IncomingMessage, response: ServerResponse): boolean
}

/** @param origins those that were named; `*` is no origin */
export function createCors(origins: readonly string[]): Cors {
  const named = new Set(origins.filter((origin) => origin !== '*'))
  const originOf = ({ headers: { origin } }: IncomingMessage) => (origin !== undefined && named.has(origin) ? origin : undefined)
  return {
    mark(request, response) {
      const origin = originOf(request)
      if (origin === undefined) return
      response.setHeader('Access-Control-Allow-Origin', origin)
      response.setHeader('Access-Control-Expose-Headers', EXPOSED)
      response.setHeader('Vary', 'Origin')
    },
    preflight(request, response) {
      const { 'access-control-request-method': method, 'access-control-request-headers': asked = '' } = request.headers
      if (request.method !== 'OPTIONS' || method === undefined || originOf(request) === undefined) return false
      const fields = asked
        .toLowerCase()
        .split(',')
        .map((name) => name.trim())
        .filter((name) => FIELDS.has(name) || PARAM.test(name))
      response.writeHead(204, {
        'Access-Control-Allow-Methods': 'GET, POST, DELETE',
        'Access-Control-Allow-Headers': fields.join(', '),
        'Access-Control-Max-Age': String(MAX_AGE_S),
      })
      response.end()
      return true
    },
  }
}
