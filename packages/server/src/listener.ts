/**
 * The listener: bounds on header, number, connection and time, and an end that lets answers finish.
 * @module
 */
import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { SwornError } from '@sworn/recorder'
import { errorBody, errorResponse } from '@sworn/recorder/http'
import type { App } from './app.ts'
import type { Limits, ListenAddress, Tls } from './options.ts'

const HEADER_BYTES = 16 * 1024
const HEADER_FIELDS = 100
/** How often connections are looked at: the grain of `headMs` and `requestMs`. */
const CHECK_MS = 500

export interface Bound {
  readonly port: number
  /** Starts answering. */
  serve(app: App): void
  close(): Promise<void>
}

/** Listens; requests wait until `serve`. @throws SwornError IO_FAILED when the address is taken or not ours; CONFIG_INVALID for PEM texts that are none */
export async function bind(listen: ListenAddress, tls: Tls | undefined, limits: Limits): Promise<Bound> {
  const server = createServer(tls, limits)
  const ready = Promise.withResolvers<http.RequestListener>()
  let closing = false
  server.on('clientError', answerBroken)
  server.on('checkExpectation', (_, outgoing: http.ServerResponse) => {
    const { status, head, body } = toAnswer(new SwornError('REQUEST_INVALID', 'no expectation but 100-continue was expected'), 417)
    outgoing.writeHead(status, head).end(body)
  })
  server.on('request', (incoming, outgoing) => {
    outgoing.once('finish', () => void (closing && setImmediate(() => server.closeIdleConnections())))
    void ready.promise.then((take) => take(incoming, outgoing))
  })
  const { port } = await listenOn(server, listen)
  return {
    port,
    serve: (app) => ready.resolve(createTaker(app, limits.requests)),
    async close() {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const timer = setTimeout(() => server.closeAllConnections(), limits.graceMs)
      await closed
      clearTimeout(timer)
    },
  }
}

function createServer(tls: Tls | undefined, limits: Limits): http.Server {
  const { headMs, requestMs, idleMs, connections } = limits
  const bounds = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: CHECK_MS,
    requireHostHeader: false, // one that is missing is refused in our words
  }
  const server = tls === undefined ? http.createServer(bounds) : createTlsServer(tls, bounds)
  server.maxHeadersCount = HEADER_FIELDS
  server.maxConnections = connections
  server.timeout = idleMs
  return server
}

/** code of Node -> status and what was expected; everything else is no HTTP. */
const BROKEN: Readonly<Record<string, readonly [status: number, expected: string]>> = {
  HPE_HEADER_OVERFLOW: [431, `a header of at most ${HEADER_BYTES} bytes and ${HEADER_FIELDS} fields was expected`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'chunks without long extensions were expected'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'a whole request in time was expected'],
}

/** What Node could not read as a request is refused as everything else is. Nothing can be said to who is gone already. */
function answerBroken(e: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || e.code === 'ECONNRESET') return void socket.destroy()
  const [status, expected] = BROKEN[e.code ?? ''] ?? [400, 'a request of HTTP/1.1 was expected']
  const { head, body } = toAnswer(new SwornError('REQUEST_INVALID', expected), status)
  const fields = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${fields.join('')}\r\n${body}`)
}

function toAnswer(e: SwornError, status: number) {
  const body = JSON.stringify(errorBody(e))
  const head = {
    connection: 'close',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  return { status, head, body }
}

function createTlsServer({ cert, key, clientCa }: Tls, bounds: http.ServerOptions): http.Server {
  const certified = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }
  try {
    return https.createServer({ ...bounds, cert, key, ...certified, minVersion: 'TLSv1.2' })
  } catch {
    throw new SwornError('CONFIG_INVALID', 'a certificate and its key in PEM were expected', 'tls') // no cause: it could quote the file
  }
}

function listenOn(server: http.Server, { host, port }: ListenAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new SwornError('IO_FAILED', 'the address cannot be listened on', `${host}:${port}`, { cause })))
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, () => resolve(server.address() as AddressInfo)) // listens on TCP
  })
}

function createTaker(app: App, max: number): http.RequestListener {
  let open = 0
  const answer = getRequestListener(
    async (request, env) => {
      if (open >= max) return errorResponse(new SwornError('SERVER_BUSY', `at most ${max} requests at once`))
      open++
      try {
        return await app.fetch(request, env)
      } finally {
        open--
      }
    },
    {
      overrideGlobalObjects: false,
      errorHandler: () => errorResponse(new SwornError('REQUEST_INVALID', 'an address and a Host of HTTP were expected'), 400),
    },
  )
  return (incoming, outgoing) => {
    for (const stream of [incoming, outgoing]) stream.on('error', () => {}) // a client that is gone is an event, not an exception
    void answer(incoming, outgoing)
  }
}
