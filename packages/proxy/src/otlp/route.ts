/**
 * POST /v1/traces and /v1/logs: what OpenTelemetry exporters send becomes events, acknowledged when they are on disk.
 * POST /v1/metrics is answered, with a count of what was not recorded: exporters that send everything are quiet then.
 *
 *   application/json or application/x-protobuf, gzip or not → 200; `partialSuccess` counts what was not recorded, and why
 *
 * A request that is sent again doubles nothing: ids of events are made from what names the span or record. Nothing is
 * answered with 200 while the ledger does not take it: 503, and the exporter sends it again.
 * Source: OTLP 1.5 over HTTP; capture.md §4.9.
 * @module
 */
import { type Recorder, SwornError } from '@sworn/recorder'
import { formatRefusal, formatTaken } from './answer.ts'
import { readUnpacked, type UnpackLimits } from './body.ts'
import { type Encoding, json } from './encoding.ts'
import { readGap, readLog } from './logs.ts'
import { readMetric } from './metrics.ts'
import { recordAll } from './record-all.ts'
import { createSenders, type Senders } from './senders.ts'
import { createSequences, type Sequences } from './sequences.ts'
import { readSpan } from './spans.ts'
import { type Levels, type Reading, readTold, type Told } from './told.ts'

export interface OtlpLimits extends UnpackLimits {
  /** Spans or log records of one request. */
  readonly records: number
  /** Requests whose bodies are in memory at the same time. */
  readonly requests: number
}

export const OTLP_LIMITS: OtlpLimits = { bytes: 4 << 20, unpackedBytes: 8 << 20, timeMs: 10_000, records: 10_000, requests: 8 }

export const OTLP_PATHS = ['/v1/traces', '/v1/logs', '/v1/metrics'] as const
export type OtlpPath = (typeof OTLP_PATHS)[number]

/** Never rejects. @param producer who the token names */
export type OtlpRoute = (request: Request, path: OtlpPath, producer: string) => Promise<Response>

interface Signal {
  /** Of the table of messages. */
  readonly message: string
  readonly levels: Levels
  /** Name of the count of what was not recorded. */
  readonly rejected: string
  readonly read: (told: Told, producer: string) => Reading
}

const SIGNALS: Readonly<Record<OtlpPath, Signal>> = {
  '/v1/traces': { message: 'TraceRequest', levels: ['resourceSpans', 'scopeSpans', 'spans'], rejected: 'rejectedSpans', read: readSpan },
  '/v1/logs': {
    message: 'LogsRequest',
    levels: ['resourceLogs', 'scopeLogs', 'logRecords'],
    rejected: 'rejectedLogRecords',
    read: readLog,
  },
  '/v1/metrics': {
    message: 'MetricsRequest',
    levels: ['resourceMetrics', 'scopeMetrics', 'metrics'],
    rejected: 'rejectedDataPoints',
    read: readMetric,
  },
}

interface Desk {
  readonly record: Recorder['record']
  readonly limits: OtlpLimits
  readonly sequences: Sequences
  readonly senders: Senders
}

export function createOtlpRoute(record: Recorder['record'], given: Partial<OtlpLimits> = {}): OtlpRoute {
  const desk = { record, limits: { ...OTLP_LIMITS, ...given }, sequences: createSequences(), senders: createSenders() }
  let open = 0
  return async (request, path, producer) => {
    if (request.method !== 'POST') return formatRefusal(json, invalid('POST was expected'), 405, { allow: 'POST' })
    const encoding = await encodingOf(request).catch((e: unknown) => formatRefusal(json, e, 415))
    if (encoding instanceof Response) return encoding
    if (open >= desk.limits.requests) return formatRefusal(encoding, busy(`at most ${desk.limits.requests} requests at once`), 503)
    open++
    try {
      return await take(desk, SIGNALS[path], { request, encoding, producer })
    } catch (e) {
      return formatRefusal(encoding, e, SwornError.is(e) && REFUSED.has(e.code) ? 400 : 503)
    } finally {
      open--
    }
  }
}

/** What a request is refused for; everything else is ours. */
const REFUSED: ReadonlySet<string> = new Set(['REQUEST_INVALID', 'JSON_INVALID', 'JSON_DUPLICATE_MEMBER'])

/** Protocol Buffers are loaded where somebody sends them. @throws SwornError REQUEST_INVALID for another type */
async function encodingOf({ headers }: Request): Promise<Encoding> {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json') return json
  if (type === 'application/x-protobuf') return (await import('./protobuf.ts')).protobuf
  throw invalid('a body of application/json or application/x-protobuf was expected')
}

interface Sent {
  readonly request: Request
  readonly encoding: Encoding
  readonly producer: string
}

/** @throws SwornError for what is no OTLP, and when the ledger did not take it */
async function take(desk: Desk, signal: Signal, { request, encoding, producer }: Sent): Promise<Response> {
  const { limits, sequences, senders } = desk
  const body = await readUnpacked(request, limits)
  if (!Buffer.isBuffer(body)) return formatRefusal(encoding, body.error, body.status, { connection: 'close' })
  const told: Told[] = []
  for (const one of readTold(encoding.parse(body, signal.message), signal.levels)) {
    if (told.length === limits.records) return formatRefusal(encoding, invalid(`at most ${limits.records} records were expected`), 413)
    told.push(one)
  }
  const { gaps, keep } = sequences.look(told, producer)
  const missing = gaps.flatMap((gap) => readGap(gap, producer) ?? [])
  const readings = told.map((one) => signal.read(one, producer))
  const met = senders.look(
    told.filter((_, i) => 'event' in readings[i]!),
    producer,
  )
  const left = await recordAll(desk.record, [...[...met.reports, ...missing].map((event) => ({ event })), ...readings])
  keep()
  met.keep()
  return formatTaken(encoding, signal.rejected, left)
}

const invalid = (message: string) => new SwornError('REQUEST_INVALID', message)
const busy = (message: string) => new SwornError('SERVER_BUSY', message)
