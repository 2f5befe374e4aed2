/**
 * POST /v1/gateways/litellm: what LiteLLM's gateway logs of its calls becomes events, acknowledged when they are on disk.
 *
 *   application/json      one payload, or an array of them (`log_format: single`, `json_array`)
 *   application/x-ndjson  one a line (`ndjson`)
 *                         → 200 {recorded, left: {reason: count}}; 503 when the ledger did not take it, and nothing is lost
 *                           or doubled when it is sent again
 *
 * Source: LiteLLM, "Generic API Callback"; capture.md §4.9.
 * @module
 */
import { type JsonValue, parseStrict, type Recorder, SwornError } from '@sworn/recorder'
import { errorResponse, jsonResponse } from '@sworn/recorder/http'
import { readUnpacked, type UnpackLimits } from '../otlp/body.ts'
import { recordAll } from '../otlp/record-all.ts'
import { objectOf } from '../otlp/values.ts'
import { readPayload } from './litellm.ts'

export const LITELLM_PATH = '/v1/gateways/litellm'

export interface GatewayLimits extends UnpackLimits {
  /** Payloads of one request. */
  readonly records: number
  /** Requests whose bodies are in memory at the same time. */
  readonly requests: number
}

export const GATEWAY_LIMITS: GatewayLimits = { bytes: 16 << 20, unpackedBytes: 16 << 20, timeMs: 10_000, records: 2000, requests: 4 }

const MAX_DEPTH = 200
const JSON_TYPES = /^application\/(?:json|x-ndjson|jsonl)$/

/** Never rejects. @param producer who the token names */
export type GatewayRoute = (request: Request, producer: string) => Promise<Response>

export function createLitellmRoute(record: Recorder['record'], given: Partial<GatewayLimits> = {}): GatewayRoute {
  const limits = { ...GATEWAY_LIMITS, ...given }
  let open = 0
  return async (request, producer) => {
    if (open >= limits.requests) return errorResponse(new SwornError('SERVER_BUSY', `at most ${limits.requests} requests at once`))
    open++
    try {
      return await take(record, limits, request, producer)
    } catch (e) {
      return errorResponse(e)
    } finally {
      open--
    }
  }
}

/** @throws SwornError for what is no such log, and when the ledger did not take it */
async function take(record: Recorder['record'], limits: GatewayLimits, request: Request, producer: string): Promise<Response> {
  if (request.method !== 'POST') return errorResponse(invalid('POST was expected'), 405, { allow: 'POST' })
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!JSON_TYPES.test(type)) return errorResponse(invalid('a body of application/json or application/x-ndjson was expected'), 415)
  const body = await readUnpacked(request, limits)
  if (!Buffer.isBuffer(body)) return errorResponse(body.error, body.status, { connection: 'close' })
  const payloads = type === 'application/json' ? toList(parse(body)) : linesOf(body).map(parseLine)
  if (payloads.length > limits.records) return errorResponse(invalid(`at most ${limits.records} logs were expected`), 413)
  const left = await recordAll(
    record,
    payloads.map((payload) => (payload === undefined ? NO_JSON : readPayload(objectOf(payload), producer))),
  )
  const missing = [...left.values()].reduce((sum, many) => sum + many, 0)
  return jsonResponse({ recorded: payloads.length - missing, ...(missing > 0 && { left: Object.fromEntries(left) }) })
}

const NO_JSON = { left: 'no JSON' }

/** What was cut within an emoji is taken; the recorder says so. */
const parse = (bytes: Buffer) => parseStrict(bytes, { maxDepth: MAX_DEPTH, loneSurrogates: 'keep' })

/** A line that is broken takes no other along. */
function parseLine(bytes: Buffer): JsonValue | undefined {
  try {
    return parse(bytes)
  } catch {
    return undefined
  }
}

const toList = (value: JsonValue): readonly JsonValue[] => (Array.isArray(value) ? value : [value])

function linesOf(body: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(10, start)
    const end = found < 0 ? body.length : found
    if (end > start) lines.push(body.subarray(start, end))
    start = end + 1
  }
  return lines
}

const invalid = (message: string) => new SwornError('REQUEST_INVALID', message)
