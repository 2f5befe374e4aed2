/**
 * The door: a listener with bounds on size, number and time, behind which only admitted requests for our path appear.
 * @module
 */
import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import { SwornError } from '@sworn/recorder'
import { MAX_FRAME_BYTES } from '../frames/split.ts'
import { formatError } from '../frames/write.ts'
import { CODES } from '../relay/session.ts'
import { type Admission, checkAccess, createAdmission } from './admit.ts'
import { createBudget, readBody } from './body.ts'
import { createCors } from './cors.ts'
import { type Arrival, replyJson } from './exchange.ts'
import { isUtf8Type, mediaTypeOf } from './headers.ts'
import type { HttpFrontOptions, Limits } from './options.ts'

/** What is behind the door. None of them rejects. */
export interface Rooms {
  /** One POST with its whole body. */
  message(arrival: Arrival, body: Buffer): Promise<void>
  /** GET and DELETE. */
  bodiless(arrival: Arrival): Promise<void>
  /** A GET of another path than ours; false: there is nothing. */
  elsewhere(arrival: Arrival, path: string): boolean
  /** Somebody was turned away. */
  refused(reason: string, status: number): void
  /** True while the recorder is too far behind to take more. */
  isFull(): boolean
}

export interface Listener {
  readonly url: string
  close(): Promise<void>
}

type Refused = Extract<Admission, { ok: false }>

const HEADER_BYTES = 16 * 1024
const HEADER_FIELDS = 100

function refuse(response: http.ServerResponse, status: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
  replyJson(response, status, formatError(null, { code: CODES.gone, message }), headers)
}

function createServer({ access = {} }: HttpFrontOptions, { headMs, requestMs, exchanges }: Required<Limits>): http.Server {
  const bounds = { maxHeaderSize: HEADER_BYTES, headersTimeout: headMs, requestTimeout: requestMs, noDelay: true }
  const { tls } = access
  const server =
    tls === undefined
      ? http.createServer(bounds)
      : https.createServer({ ...bounds, cert: tls.cert, key: tls.key, ...certified(tls.clientCa), minVersion: 'TLSv1.2' })
  server.maxHeadersCount = HEADER_FIELDS
  server.maxConnections = 2 * exchanges
  return server
}

function certified(ca: string | undefined): https.ServerOptions {
  return ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }
}

/**
 * Listens. `path` is the only one that leads to a room.
 *
 * @throws SwornError CONFIG_INVALID when others could reach the address without a secret; IO_FAILED when it is taken
 */
export async function openListener(options: HttpFrontOptions, limits: Required<Limits>, path: string, rooms: Rooms): Promise<Listener> {
  const { listen, access = {} } = options
  checkAccess(listen, access)
  const server = createServer(options, limits)
  const { port } = await bind(server, listen.host, listen.port)
  const take = createDoor(options, limits, { path, port, rooms })
  server.on('request', take)
  const host = isIPv6(listen.host) ? `[${listen.host}]` : listen.host
  return {
    url: `${access.tls === undefined ? 'http' : 'https'}://${host}:${port}${path}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function bind(server: http.Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new SwornError('IO_FAILED', 'the address cannot be listened on', `${host}:${port}`, { cause })))
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, () => resolve(server.address() as AddressInfo)) // listens on TCP
  })
}

function createDoor({ listen, access = {} }: HttpFrontOptions, limits: Required<Limits>, to: { path: string; port: number; rooms: Rooms }) {
  const { path, port, rooms } = to
  const admit = createAdmission(listen, access, port)
  const cors = createCors(access.origins ?? [])
  const budget = createBudget(limits.bodyBytes)
  let open = 0

  async function takeMessage(arrival: Arrival): Promise<void> {
    const { request, response } = arrival
    const type = request.headers['content-type']
    if (mediaTypeOf(type) !== 'application/json' || !isUtf8Type(type) || request.headers['content-encoding'] !== undefined)
      return refuse(response, 415, 'Unsupported Media Type: Content-Type must be application/json, in UTF-8 and not encoded')
    const body = await readBody(request, MAX_FRAME_BYTES, budget)
    if (body.ok) return rooms.message(arrival, body.bytes)
    const close = { Connection: 'close' }
    if (body.why === 'too_large') refuse(response, 413, 'Content Too Large: a message has at most 10 MiB', close)
    else if (body.why === 'no_room') refuse(response, 503, 'Too many requests', { ...close, 'Retry-After': '1' })
    else response.destroy()
  }

  function route(arrival: Arrival): Promise<void> | undefined {
    const { request, response } = arrival
    const { method, url = '' } = request
    if (url !== path) {
      if (method !== 'GET' || !rooms.elsewhere(arrival, url)) refuse(response, 404, 'Not Found')
      return undefined
    }
    if (method === 'POST') return takeMessage(arrival)
    if (method === 'GET' || method === 'DELETE') return rooms.bodiless(arrival)
    refuse(response, 405, 'Method Not Allowed', { Allow: 'GET, POST, DELETE' })
    return undefined
  }

  function turnAway(response: http.ServerResponse, { status, reason, challenge }: Refused): void {
    rooms.refused(reason, status)
    refuse(response, status, reason, challenge === undefined ? {} : { 'WWW-Authenticate': challenge })
  }

  async function enter(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    open++
    response.once('close', () => open--)
    const admission = await admit(request)
    if (response.destroyed) return
    if (admission.ok) await route({ request, response, principal: admission.principal })
    else turnAway(response, admission)
  }

  return (request: http.IncomingMessage, response: http.ServerResponse): void => {
    response.on('error', () => {}) // a client that is gone is an event, not an exception
    request.on('error', () => {})
    cors.mark(request, response)
    if (cors.preflight(request, response)) return
    if (open < limits.exchanges && !rooms.isFull()) void enter(request, response)
    else refuse(response, 503, 'Too many requests', { 'Retry-After': '1' })
  }
}
