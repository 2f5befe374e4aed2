/**
 * The body of a request as strict JSON, bounded in bytes, time and depth. Hostile input.
 * @module
 */
import { parseStrict } from '@sworn/recorder'
import { type BodyLimits, readBody } from '@sworn/recorder/http'

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
