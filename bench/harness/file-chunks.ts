/** Files as one stream of bytes. @module */
import { closeSync, openSync, readSync } from 'node:fs'

const CHUNK_BYTES = 1 << 20

/** The files in order, through one buffer: a chunk holds until the next one is asked for. */
export function* fileChunks(paths: readonly string[]): Iterable<Uint8Array> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES) // its `indexOf` is faster
  for (const path of paths) {
    const fd = openSync(path, 'r')
    for (;;) {
      const read = readSync(fd, chunk)
      if (read === 0) break
      yield chunk.subarray(0, read)
    }
    closeSync(fd)
  }
}
