/**
 * Clients over HTTP, a server over stdio: every client session has a server process and a stdio relay of its own.
 * @module
 */
import type { ServerResponse } from 'node:http'
import { type Id, type Read, readFrame } from '../frames/read.ts'
import { formatError } from '../frames/write.ts'
import { CODES } from '../relay/session.ts'
import { type Arrival, replyEmpty, replyJson } from './exchange.ts'
import { fieldOf, findMismatch, HEADER_MISMATCH } from './headers.ts'
import { openListener } from './listener.ts'
import { type HttpProxy, LIMITS } from './options.ts'
import { createRefusals } from './refusals.ts'
import { openStream, passIn, type StdioServerOptions } from './seat.ts'
import { createSeats } from './seats.ts'
import { oneLine } from './sse.ts'

const PATH = '/mcp'
const SWEEP_MS = 60_000

/**
 * Listens at `/mcp`, and runs the command once for every client session. Bounds as `openHttpProxy`, and 64 processes.
 *
 * @throws SwornError CONFIG_INVALID when others could reach `listen` without a token or certificate; IO_FAILED when the
 * address is taken
 */
export async function openStdioServer(options: StdioServerOptions): Promise<HttpProxy> {
  const limits = { ...LIMITS, ...options.limits }
  const seats = createSeats(options, limits)
  const refusals = createRefusals(options)
  const gone = (response: ServerResponse) =>
    replyJson(response, 404, formatError(null, { code: CODES.denied, message: 'Session not found' }))

  async function takeMessage(arrival: Arrival, body: Buffer): Promise<void> {
    const read = readFrame(oneLine(body))
    const wrong = read.ok ? findMismatch(arrival.request.headers, read.message) : read.refusal.message
    if (!read.ok || wrong !== undefined) {
      refusals.note(`malformed: ${wrong}`, 400)
      const code = read.ok ? HEADER_MISMATCH : read.refusal.code
      return replyJson(arrival.response, 400, formatError(idOf(read), { code, message: 'Invalid request', data: { detail: wrong } }))
    }
    const seat = seats.find(arrival, read.message)
    if (seat !== undefined) passIn(seat, arrival, read.message, body)
    else if (fieldOf(arrival.request.headers, 'mcp-session-id') !== undefined) gone(arrival.response)
    else
      replyJson(arrival.response, 503, formatError(idOf(read), { code: CODES.gone, message: 'Too many sessions' }), { 'Retry-After': '1' })
  }

  async function takeBodiless(arrival: Arrival): Promise<void> {
    const found = seats.named(arrival)
    if (found === undefined) return gone(arrival.response)
    if (arrival.request.method === 'GET') return openStream(found.seat, arrival)
    seats.leave(found.name)
    replyEmpty(arrival.response, 200)
  }

  const rooms = {
    message: takeMessage,
    bodiless: takeBodiless,
    elsewhere: () => false,
    refused: refusals.note,
    isFull: () => refusals.full,
  }
  const listener = await openListener(options, limits, PATH, rooms)
  const timer = setInterval(seats.sweep, SWEEP_MS)
  timer.unref()
  return {
    url: listener.url,
    async close() {
      clearInterval(timer)
      await Promise.all([seats.close(), refusals.close()])
      await listener.close()
    },
  }
}

function idOf(read: Read): Id | null {
  if (!read.ok) return read.refusal.id
  return read.message.kind === 'request' ? read.message.id : null
}
