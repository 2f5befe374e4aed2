/**
 * The bytes of a request, unpacked, bounded before and after. Hostile input.
 * @module
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { SwornError } from '@sworn/recorder'
import { type BodyFault, type BodyLimits, readBody } from '@sworn/recorder/http'

export interface UnpackLimits extends BodyLimits {
  /** What a packed body may become. */
  readonly unpackedBytes: number
}

const unpack = promisify(gunzip)

/** Why a body is refused, and with which status. */
export interface BodyRefusal {
  readonly error: SwornError
  readonly status: number
}

/** Never rejects. */
export async function readUnpacked({ headers, body }: Request, limits: UnpackLimits): Promise<Buffer | BodyRefusal> {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'gzip' && encoding !== 'identity') return refuse('a body that is not encoded, or gzip, was expected', 415)
  const bytes = await readBody(body, limits)
  if (!Buffer.isBuffer(bytes)) return refuseFault(bytes, limits)
  if (encoding === 'identity') return bytes
  try {
    return await unpack(bytes, { maxOutputLength: limits.unpackedBytes })
  } catch (e) {
    const tooLarge = (e as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' // of node:zlib
    return tooLarge
      ? refuse(`a body of at most ${limits.unpackedBytes} bytes unpacked was expected`, 413)
      : refuse('gzip was expected', 400)
  }
}

function refuseFault(fault: BodyFault, { bytes, timeMs }: BodyLimits): BodyRefusal {
  if (fault === 'too_large') return refuse(`a body of at most ${bytes} bytes was expected`, 413)
  if (fault === 'timeout') return refuse(`the whole body was expected within ${timeMs} ms`, 408)
  return refuse('the body ended early', 400)
}

function refuse(message: string, status: number): BodyRefusal {
  return { error: new SwornError('REQUEST_INVALID', message), status }
}
