/**
 * What a sender is told, in the form that it spoke: what was left out and why, or that the request was refused.
 * @module
 */
import { ERRORS, SwornError } from '@sworn/recorder'
import type { Encoding } from './encoding.ts'

/** Why -> how many. */
export type Left = ReadonlyMap<string, number>

const INVALID_ARGUMENT = 3
const UNAVAILABLE = 14

/** 200; with a count and its reasons when not all was taken. @param name of the count, in JSON */
export function formatTaken(encoding: Encoding, name: string, left: Left): Response {
  const count = [...left.values()].reduce((sum, many) => sum + many, 0)
  const why = [...left].map(([reason, many]) => `${many} not recorded: ${reason}`).join('; ')
  return respond(encoding, count === 0 ? encoding.whole : encoding.formatPartial(count, name, why), 200)
}

/** Refused as a whole: `503` may be sent again, all others not. What is not ours is told without a word of it. */
export function formatRefusal(encoding: Encoding, e: unknown, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const { code, message } = SwornError.is(e) ? e : new SwornError('IO_FAILED', 'the request could not be answered')
  const retry = status === 503 ? { 'retry-after': '1' } : {}
  const body = encoding.formatStatus(status === 503 ? UNAVAILABLE : INVALID_ARGUMENT, `${code} ${message}. ${ERRORS[code]}`)
  return respond(encoding, body, status, { ...retry, ...headers })
}

function respond({ type }: Encoding, body: string | Buffer, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const fixed = { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  return new Response(typeof body === 'string' ? body : new Uint8Array(body), { status, headers: { ...fixed, ...headers } })
}
