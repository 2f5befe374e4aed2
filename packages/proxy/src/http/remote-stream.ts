/**
 * Streams of events from the server: read to their end, and taken up again from the last event that had an id.
 *
 * Source: MCP 2025-11-25 "Resumability and Redelivery". The 2026-07-28 era has no such streams.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { mediaTypeOf } from './headers.ts'
import type { RemoteSession } from './remote-session.ts'
import { createEventReader, type SseEvent } from './sse.ts'
import type { Upstream } from './upstream.ts'

/** Attempts in a row that bring nothing. */
const RETRIES = 5
const RETRY_MS = 1000
/** Whatever the server asks for. */
const [MIN_RETRY_MS, MAX_RETRY_MS] = [10, 30_000]

/** Where a stream stands. */
export interface Place {
  id?: string
  retryMs: number
}

export interface StreamOptions {
  readonly upstream: Upstream
  readonly session: RemoteSession
  /** Takes the data of an event; true when it was what is waited for. */
  readonly take: (data: Buffer) => boolean
  /** Resolves when what was taken has left. */
  readonly drained: () => Promise<void>
  readonly signal: AbortSignal
}

export const startOfStream = (): Place => ({ retryMs: RETRY_MS })

/** True for an answer that is a stream of events. */
export function isStream({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && mediaTypeOf(headers['content-type']) === 'text/event-stream'
}

/** Reads a stream to its end and notes where it stands; true when what is waited for was in it. */
export async function readStream({ take, drained }: StreamOptions, reply: IncomingMessage, place: Place): Promise<boolean> {
  let found = false
  const reader = createEventReader(
    (event) => {
      movePlace(place, event)
      if (event.data !== undefined && event.passable !== 'no' && take(event.data)) found = true
    },
    () => reply.destroy(),
  )
  try {
    for await (const chunk of reply) {
      reader.push(chunk as Buffer) // no encoding is set
      await drained()
    }
  } catch {
    // broke off: the place tells whether it can be taken up again
  }
  return found
}

function movePlace(place: Place, { id, retry }: SseEvent): void {
  if (id) place.id = id
  if (retry !== undefined && /^\d{1,9}$/.test(retry)) place.retryMs = Math.max(MIN_RETRY_MS, Math.min(Number(retry), MAX_RETRY_MS))
}

/** Follows a stream from where it broke off until what is waited for is there; false: it cannot be had. */
export async function resumeStream(options: StreamOptions, place: Place): Promise<boolean> {
  for (let fruitless = 0; fruitless < RETRIES && !options.signal.aborted; fruitless++) {
    await wait(place.retryMs, undefined, { signal: options.signal, ref: false }).catch(() => {})
    const before = place.id
    const reply = await askFrom(options, before)
    if (reply === undefined) continue
    if (!isStream(reply)) {
      reply.resume()
      return false
    }
    if (await readStream(options, reply, place)) return true
    if (place.id !== before) fruitless = -1
  }
  return false
}

/**
 * What the server has to say of itself, for as long as it wants to: a stream that ends is opened again.
 * Resolves when the server has none, cannot be reached five times in a row, or the signal came.
 */
export async function listenForever(options: StreamOptions): Promise<void> {
  const place = startOfStream()
  for (let lost = 0; lost < RETRIES && !options.signal.aborted; lost++) {
    const reply = await askFrom(options, place.id)
    if (reply !== undefined) {
      if (!isStream(reply)) return void reply.resume()
      lost = -1
      await readStream(options, reply, place)
    }
    await wait(place.retryMs, undefined, { signal: options.signal, ref: false }).catch(() => {})
  }
}

/** GETs the stream behind the event `from`; undefined: the server cannot be reached. */
async function askFrom({ upstream, session, signal }: StreamOptions, from: string | undefined): Promise<IncomingMessage | undefined> {
  const headers = session.fields(['Accept', 'text/event-stream', ...(from === undefined ? [] : ['Last-Event-ID', from])])
  try {
    return await upstream.send({ method: 'GET', headers, signal, patient: true })
  } catch {
    return undefined
  }
}
