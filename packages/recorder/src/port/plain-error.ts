/**
 * SwornErrors as plain data: what crosses threads and sockets.
 *
 * Promise: `fromPlain(toPlain(e))` has the code, message and place of `e`. What arrives is hostile
 * when it comes from a socket: an unknown code becomes APPEND_UNKNOWN, lengths are cut.
 * @module
 */
import { ERRORS, type ErrorCode, SwornError } from '@sworn/verify'

/** Longest message or place that is passed on, in UTF-16 units. */
const MAX_TEXT = 500

/** A SwornError without its class. */
export interface PlainError {
  readonly code: string
  readonly message: string
  readonly at: string
}

/** The data of any thrown value; what is not a SwornError becomes `code` with a fixed message. */
export function toPlain(error: unknown, code: ErrorCode = 'APPEND_UNKNOWN'): PlainError {
  if (!SwornError.is(error)) return { code, message: 'the recorder failed unexpectedly', at: '' }
  const suffix = ` (at ${error.at})`
  const message = error.at && error.message.endsWith(suffix) ? error.message.slice(0, -suffix.length) : error.message
  return { code: error.code, message, at: error.at }
}

/** The SwornError that `plain` describes. */
export function fromPlain(plain: PlainError): SwornError {
  const code = Object.hasOwn(ERRORS, plain.code) ? (plain.code as ErrorCode) : 'APPEND_UNKNOWN' // checked on this line
  return new SwornError(code, plain.message.slice(0, MAX_TEXT), plain.at.slice(0, MAX_TEXT))
}
