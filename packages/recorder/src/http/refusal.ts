/**
 * Errors as HTTP tells them: `{error: {code, message, hint}}`, with a code of the table, no value and no stack.
 * @module
 */
import { ERRORS, type ErrorCode, SwornError } from '@sworn/verify'

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

export function jsonResponse(body: object, status = 200): Response {
  return Response.json(body, { status, headers: HEADERS })
}

/** JSON Lines, one answer a line. */
export function linesResponse(lines: readonly object[], status: number): Response {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  return new Response(text, { status, headers: { ...HEADERS, 'content-type': 'application/x-ndjson' } })
}
