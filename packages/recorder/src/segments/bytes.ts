/**
 * The bytes of a ledger's files: plain ones by range, closed segments decompressed as they stream.
 * @module
 */
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import zlib from 'node:zlib'
import { SwornError } from '@sworn/verify'

const CHUNK_BYTES = 1 << 18
const STREAM_BYTES = 1 << 18

/** True when the file's name says that it is compressed. */
export function isCompressed(path: string): boolean {
  return path.endsWith('.gz') || path.endsWith('.zst')
}

/**
 * The bytes of one segment, decompressed by its name.
 * @throws SwornError NODE_TOO_OLD for a .zst segment where Node has no zstd. Damage is an error of the stream: `isDamage`
 */
export function openSegment(path: string): Readable {
  const raw = createReadStream(path, { highWaterMark: STREAM_BYTES })
  if (!isCompressed(path)) return raw
  const plain = createDecompressor(path)
  plain.once('error', (e) => Object.assign(e, { path })) // zlib does not say in which file
  // A failure reaches the reader as the error of the last stream.
  return pipeline(raw, plain, () => undefined)
}

/** @throws SwornError NODE_TOO_OLD */
export function createDecompressor(path: string, available: Partial<typeof zlib> = zlib): ReturnType<typeof zlib.createGunzip> {
  if (path.endsWith('.gz')) return zlib.createGunzip()
  if (available.createZstdDecompress) return available.createZstdDecompress()
  throw new SwornError('NODE_TOO_OLD', `Node ${process.versions.node} found, 22.15 needed to read zstd`, path)
}

/** True when decompression failed: the file is not what was compressed. */
export function isDamage(e: unknown): boolean {
  return e instanceof Error && 'code' in e && /^(Z_|ZSTD_)/.test(String(e.code))
}

/** A chunk that nobody reads into: the next file's. */
let spare: Buffer | undefined

/**
 * The bytes `[from, to)` of a plain file, through one buffer: a chunk holds until the next one is asked for.
 * @param file its path, or a descriptor that stays open
 */
export function* readRange(file: string | number, from: number, to = Number.POSITIVE_INFINITY): Generator<Buffer> {
  const chunk = spare ?? Buffer.allocUnsafe(CHUNK_BYTES)
  spare = undefined
  const fd = typeof file === 'number' ? file : openSync(file, 'r')
  try {
    for (let at = from; at < to; ) {
      const read = readSync(fd, chunk, 0, Math.min(chunk.length, to - at), at)
      if (read === 0) return
      at += read
      yield chunk.subarray(0, read)
    }
  } finally {
    if (fd !== file) closeSync(fd)
    spare = chunk
  }
}

/**
 * The last bytes of a file, at most `maxBytes`; none of what is no file: to open a pipe does not wait for its other end.
 * @returns undefined when nothing is there
 * @throws the file system's error
 */
export function readEnd(path: string, maxBytes: number): Buffer | undefined {
  const fd = openExisting(path)
  if (fd === undefined) return undefined
  try {
    const stat = fstatSync(fd)
    const bytes = Buffer.alloc(stat.isFile() ? Math.min(stat.size, maxBytes) : 0)
    let read = 0
    for (let n = 1; n > 0 && read < bytes.length; read += n)
      n = readSync(fd, bytes, read, bytes.length - read, stat.size - bytes.length + read)
    return bytes.subarray(0, read)
  } finally {
    closeSync(fd)
  }
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (e) {
    if (e instanceof Error && 'code' in e && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return undefined
    throw e
  }
}
