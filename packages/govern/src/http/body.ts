/**
 * The body of a request as strict JSON, bounded in bytes, time and depth. Hostile input.
 * @module
 */
import { parseStrict } from '@sworn/recorder'
import { type BodyLimits, CLOSE, readBody } from '@sworn/recorder/http'
import { type Answer, type Asked, refuse } from './answers.ts'

export type Body = { readonly value: unknown } | { readonly fault: 'too_large' | 'timeout' | 'malformed' }

const MAX_DEPTH = 64

export async function readJson(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<Body> {
  const bytes = await readBody(body, limits)
  if (typeof bytes === 'string') return { fault: bytes === 'broken' ? 'malformed' : bytes }
  try {
    return { value: parseStrict(bytes, { maxDepth: MAX_DEPTH }) }
  } catch {
    return { fault: 'malformed' } // a name twice, no UTF-8, no JSON: none is quoted
  }
}

/** 400, 408 or 413. The connection ends with a body that was not read to its end. */
export function refuseBody(asked: Asked, fault: Extract<Body, { fault: unknown }>['fault']): Answer {
  const invalid = (status: number, reason: string) => refuse(asked, { status, error: 'invalid_request', reason })
  if (fault === 'malformed') return invalid(400, 'The body is not JSON that every reader understands alike')
  const refused = fault === 'timeout' ? invalid(408, 'The body did not arrive in time') : invalid(413, 'The body is too large')
  return { ...refused, headers: CLOSE }
}
