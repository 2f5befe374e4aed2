/**
 * Errors as HTTP tells them: `{error: {code, message, hint}}`, with a code of the table, no value and no stack.
 * @module
 */
import { ERRORS, type ErrorCode, SwornError } from '@sworn/verify'
import type { BodyFault, BodyLimits } from './body.ts'

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string }
}

/** What is the caller's own fault -> its status; everything else is ours. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  JSON_INVALID: 400,
  JSON_DUPLICATE_MEMBER: 400,
  ACCESS_DENIED: 401,
  EVENT_ID_CONFLICT: 409,
  EVENT_INVALID: 422,
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** 400, 401, 409 or 422 for a fault of the caller, 503 when the ledger or the server could not. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 503
}

/** What is not ours is told without a word of it. */
export function toError(e: unknown): SwornError {
  return SwornError.is(e) ? e : new SwornError('IO_FAILED', 'the request could not be answered')
}

export function errorBody(e: unknown): ErrorBody {
  const { code, message } = toError(e)
  return { error: { code, message, hint: ERRORS[code] } }
}

/** @param status instead of the one that the code has */
export function errorResponse(e: unknown, status = statusOf(toError(e).code), headers: Readonly<Record<string, string>> = {}): Response {
  const retry = status === 503 ? { 'retry-after': '1' } : {}
  return Response.json(errorBody(e), { status, headers: { ...HEADERS, ...retry, ...headers } })
}

/** Why a body is refused, and with which status: 413 too long, 408 too slow, 400 cut off. Every door answers these alike. */
export interface BodyRefusal {
  readonly error: SwornError
  readonly status: number
}

export function toBodyRefusal(fault: BodyFault, { bytes, timeMs }: BodyLimits): BodyRefusal {
  const refuse = (message: string, status: number) => ({ error: new SwornError('REQUEST_INVALID', message), status })
  if (fault === 'too_large') return refuse(`a body of at most ${bytes} bytes was expected`, 413)
  if (fault === 'timeout') return refuse(`the whole body was expected within ${timeMs} ms`, 408)
  return refuse('the body ended early', 400)
}

/** The connection ends with it: what is left of the body is nobody's request. */
export function bodyRefusalResponse(fault: BodyFault, limits: BodyLimits): Response {
  const { error, status } = toBodyRefusal(fault, limits)
  return errorResponse(error, status, CLOSE)
}

export const CLOSE = { connection: 'close' }

export function jsonResponse(body: object, status = 200): Response {
  return Response.json(body, { status, headers: HEADERS })
}

/** JSON Lines, one answer a line. */
export function linesResponse(lines: readonly object[], status: number): Response {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  return new Response(text, { status, headers: { ...HEADERS, 'content-type': 'application/x-ndjson' } })
}
