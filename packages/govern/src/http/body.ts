/**
 * The body of a request as strict JSON, bounded in bytes, time and depth. Hostile input.
 * @module
 */
import { parseStrict } from '@sworn/recorder'

export interface BodyLimits {
  readonly bytes: number
  /** From the first byte that is waited for to the last. */
  readonly timeMs: number
}

export type Body = { readonly value: unknown } | { readonly fault: 'too_large' | 'timeout' | 'malformed' }

const MAX_DEPTH = 64

export async function readJson(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<Body> {
  const bytes = await readBytes(body, limits)
  if (!(bytes instanceof Uint8Array)) return { fault: bytes }
  try {
    return { value: parseStrict(bytes, { maxDepth: MAX_DEPTH }) }
  } catch {
    return { fault: 'malformed' } // a name twice, no UTF-8, no JSON: none is quoted
  }
}

async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limits: BodyLimits,
): Promise<Uint8Array | 'too_large' | 'timeout' | 'malformed'> {
  if (!body) return new Uint8Array()
  const reader = body.getReader()
  let late = false
  const stop = () => void reader.cancel().catch(() => {}) // also ends a read that waits
  const timer = setTimeout(() => {
    late = true
    stop()
  }, limits.timeMs)
  try {
    const parts: Uint8Array[] = []
    let bytes = 0
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytes += read.value.byteLength
      if (bytes > limits.bytes) {
        stop()
        return 'too_large'
      }
      parts.push(read.value)
    }
    return late ? 'timeout' : Buffer.concat(parts)
  } catch {
    return late ? 'timeout' : 'malformed' // the connection broke
  } finally {
    clearTimeout(timer)
  }
}
