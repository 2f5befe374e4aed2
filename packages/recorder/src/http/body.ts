/**
 * The bytes of a request's body, bounded in number and time. Hostile input.
 * @module
 */

export interface BodyLimits {
  readonly bytes: number
  /** From the first byte that is waited for to the last. */
  readonly timeMs: number
}

/** Why a body could not be read; `broken`: the connection ended before it did. */
export type BodyFault = 'too_large' | 'timeout' | 'broken'

/** A body that says that it is no longer is read at once, without a stream of its own. */
const MAX_SHORT = 64 * 1024

/** The whole body of a request, or why there is none. Never rejects. */
export async function readBodyOf(request: Request, limits: BodyLimits): Promise<Buffer | BodyFault> {
  const said = request.headers.get('content-length') ?? ''
  if (!/^\d{1,6}$/.test(said) || Number(said) > Math.min(limits.bytes, MAX_SHORT)) return readBody(request.body, limits)
  const { promise: late, resolve } = Promise.withResolvers<BodyFault>()
  const timer = setTimeout(resolve, limits.timeMs, 'timeout')
  const read = request.arrayBuffer().then(
    (bytes) => Buffer.from(bytes),
    (): BodyFault => 'broken',
  )
  const body = await Promise.race([read, late])
  clearTimeout(timer)
  return typeof body !== 'string' && body.length > limits.bytes ? 'too_large' : body // who made the request may have said anything
}

/** The whole body, or why there is none. Never rejects. */
export async function readBody(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<Buffer | BodyFault> {
  if (!body) return Buffer.alloc(0)
  const reader = body.getReader()
  let fault: BodyFault | undefined
  const stop = (why: BodyFault) => {
    fault ??= why
    void reader.cancel().catch(() => {}) // also ends a read that waits
  }
  const timer = setTimeout(stop, limits.timeMs, 'timeout')
  try {
    const parts: Uint8Array[] = []
    let bytes = 0
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytes += read.value.byteLength
      if (bytes > limits.bytes) stop('too_large')
      else parts.push(read.value)
    }
    return fault ?? Buffer.concat(parts)
  } catch {
    return fault ?? 'broken'
  } finally {
    clearTimeout(timer)
  }
}
