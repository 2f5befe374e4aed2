/**
 * The bytes of a request, unpacked, bounded before and after. Hostile input.
 * @module
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { SwornError } from '@sworn/recorder'
import { type BodyLimits, type BodyRefusal, readBody, toBodyRefusal } from '@sworn/recorder/http'

export interface UnpackLimits extends BodyLimits {
  /** What a packed body may become. */
  readonly unpackedBytes: number
}

const unpack = promisify(gunzip)

/** Never rejects. */
export async function readUnpacked({ headers, body }: Request, limits: UnpackLimits): Promise<Buffer | BodyRefusal> {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'gzip' && encoding !== 'identity') return refuse('a body that is not encoded, or gzip, was expected', 415)
  const bytes = await readBody(body, limits)
  if (!Buffer.isBuffer(bytes)) return toBodyRefusal(bytes, limits)
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

function refuse(message: string, status: number): BodyRefusal {
  return { error: new SwornError('REQUEST_INVALID', message), status }
}
