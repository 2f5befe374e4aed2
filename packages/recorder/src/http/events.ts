/**
 * POST /v1/events: what others report becomes entries, acknowledged when they are on disk.
 *
 *   application/json      one event    → 200 {seq, entry_hash}, or {error}
 *   application/x-ndjson  one a line   → a line each, in order: {seq, entry_hash} or {line, error}; 200 when all are
 *                                        recorded, else the status of the first that is not
 *
 * Events carry their own event_id when a retry must be harmless. Whoever reports over HTTP could not have been
 * stopped by us: the vantage is always `reported`, and the user is the bearer of the token where the event names none.
 * Source: design §4, §5.2; docs/format.md, "Idempotency".
 * @module
 */
import { type JsonValue, parseStrict, SwornError } from '@sworn/verify'
import type { RecordAnswer } from '../recorder/answer.ts'
import type { Recorder } from '../recorder/types.ts'
import { type BodyLimits, readBodyOf } from './body.ts'
import { bodyRefusalResponse, errorBody, errorResponse, jsonResponse, linesResponse, statusOf, toError } from './refusal.ts'

export interface EventLimits extends BodyLimits {
  /** Lines of one request. */
  readonly lines: number
  /** Requests whose bodies are in memory at the same time. */
  readonly requests: number
}

export const EVENT_LIMITS: EventLimits = { bytes: 4 << 20, timeMs: 10_000, lines: 1000, requests: 32 }

/** Deeper text is refused, as `sworn record` does. */
const MAX_DEPTH = 1000
const LINE_FEED = 10
/** Later years have more than four digits. */
const MAX_TIME = Date.UTC(10_000, 0)
const UUID7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** @param producer who the token names */
export type EventsRoute = (request: Request, producer: string) => Promise<Response>

/** The route. It never rejects. */
export function createEventsRoute(record: Recorder['record'], given: Partial<EventLimits> = {}): EventsRoute {
  const limits = { ...EVENT_LIMITS, ...given }
  let open = 0
  return async (request, producer) => {
    if (open >= limits.requests) return errorResponse(new SwornError('SERVER_BUSY', `at most ${limits.requests} requests at once`))
    open++
    try {
      return await take({ record, limits, producer }, request)
    } catch (e) {
      return errorResponse(e)
    } finally {
      open--
    }
  }
}

interface Desk {
  readonly record: Recorder['record']
  readonly limits: EventLimits
  readonly producer: string
}

async function take(desk: Desk, request: Request): Promise<Response> {
  if (request.method !== 'POST') return errorResponse(invalid('POST was expected'), 405, { allow: 'POST' })
  const form = formOf(request)
  if (!form) return errorResponse(invalid('a body of application/json or application/x-ndjson, not encoded, was expected'), 415)
  const body = await readBodyOf(request, desk.limits)
  if (!Buffer.isBuffer(body)) return bodyRefusalResponse(body, desk.limits)
  if (form === 'event') return jsonResponse(await recordEvent(desk, body))
  const lines = splitLines(body)
  if (lines.length > desk.limits.lines) return errorResponse(invalid(`at most ${desk.limits.lines} lines were expected`), 413)
  return recordLines(desk, lines)
}

function formOf({ headers }: Request): 'event' | 'lines' | undefined {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (headers.has('content-encoding')) return undefined
  if (type === 'application/json') return 'event'
  return type === 'application/x-ndjson' || type === 'application/jsonl' ? 'lines' : undefined
}

/** Empty lines are none. */
function splitLines(body: Buffer): { readonly number: number; readonly bytes: Buffer }[] {
  const lines: { number: number; bytes: Buffer }[] = []
  let number = 0
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(LINE_FEED, start)
    const end = found < 0 ? body.length : found
    number++
    if (end > start) lines.push({ number, bytes: body.subarray(start, end) })
    start = end + 1
  }
  return lines
}

/** `spooled`: on disk beside the ledger, handed over later. */
export type Acknowledged = { readonly seq: number; readonly entry_hash: string } | { readonly filtered: true } | { readonly spooled: true }

/** @throws SwornError for what is no event, and what the ledger did not take */
async function recordEvent({ record, producer }: Desk, bytes: Buffer): Promise<Acknowledged> {
  const event = toReported(parseStrict(bytes, { maxDepth: MAX_DEPTH }), producer)
  return acknowledge(await record(event as never, { level: 'sync' })) // record() checks the shape
}

/** Nothing is acknowledged that is not on disk. @throws SwornError SERVER_BUSY, APPEND_UNKNOWN */
export function acknowledge(answer: RecordAnswer): Acknowledged {
  if ('filtered' in answer) return answer
  if ('spooled' in answer) return { spooled: true }
  if ('queued' in answer) throw new SwornError('SERVER_BUSY', 'the queue is full, and the event was not taken')
  if (!answer.durable) throw new SwornError('APPEND_UNKNOWN', 'the disk did not confirm the event', `seq=${answer.seq}`)
  return { seq: answer.seq, entry_hash: answer.entry_hash }
}

async function recordLines(desk: Desk, lines: ReturnType<typeof splitLines>): Promise<Response> {
  let status = 200
  const answers = await Promise.all(
    lines.map(({ number, bytes }) =>
      recordEvent(desk, bytes).catch((e: unknown) => ({ line: number, ...errorBody(e), failed: toError(e) })),
    ),
  )
  const told = answers.map((answer) => {
    if (!('failed' in answer)) return answer
    const { failed, ...line } = answer
    if (status === 200) status = statusOf(failed.code)
    return line
  })
  return linesResponse(told, status)
}

/**
 * What the event does not say of who, when and how. With an event_id the moment is the id's own: a retry is the same
 * event, byte for byte.
 */
function toReported(event: JsonValue, producer: string): JsonValue {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return event
  const { event_id: id, timestamp, user, user_source: known, source = {} } = event
  const at = timestamp === undefined && typeof id === 'string' ? timeOf(id) : undefined
  const who = user === undefined || user === null ? { user: producer, user_source: 'token' } : { user, user_source: known ?? 'header' }
  const isMembers = typeof source === 'object' && !Array.isArray(source) // null counts as absent
  return { ...event, ...(at !== undefined && { timestamp: at }), ...who, source: isMembers ? { ...source, vantage: 'reported' } : source }
}

/** The first 48 bits of a UUIDv7 are milliseconds since 1970. Source: RFC 9562 §5.7. */
function timeOf(id: string): string | undefined {
  const [, high, low] = UUID7.exec(id) ?? []
  if (high === undefined || low === undefined) return undefined
  const ms = Number.parseInt(high + low, 16)
  return ms < MAX_TIME ? new Date(ms).toISOString() : undefined
}

const invalid = (message: string) => new SwornError('REQUEST_INVALID', message)
