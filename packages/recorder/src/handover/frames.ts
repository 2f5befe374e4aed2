/**
 * Frames on the data socket: a length in four bytes, big endian, then that much JSON.
 *
 * Hostile input enters here. Bounds: 4 MiB a frame; memory follows what has arrived, never what a
 * length announces; anything that is not a JSON object ends the connection.
 * @module
 */

/** Longest frame body in bytes. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024
const HEADER_BYTES = 4

export type FrameBody = Readonly<Record<string, unknown>>

export interface FrameReader {
  /** Bytes of unfinished frames held. */
  readonly heldBytes: () => number
  /** Takes what arrived; returns the frames it completed. @throws RangeError, SyntaxError: the stream is not ours */
  readonly push: (chunk: Uint8Array) => FrameBody[]
}

export function formatFrame(body: FrameBody): Buffer {
  const text = JSON.stringify(body)
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_FRAME_BYTES) throw new RangeError('the frame is longer than 4 MiB')
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  frame.writeUInt32BE(bytes, 0)
  frame.write(text, HEADER_BYTES)
  return frame
}

export function createFrameReader(maxBytes = MAX_FRAME_BYTES): FrameReader {
  let buffer = Buffer.alloc(0)
  let held = 0

  /** Doubling keeps the cost linear when a client sends byte by byte. */
  function keep(chunk: Uint8Array): void {
    if (held + chunk.length > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, held + chunk.length))
      buffer.copy(larger, 0, 0, held)
      buffer = larger
    }
    buffer.set(chunk, held)
    held += chunk.length
  }

  /** End of the frame at `start`, or undefined while its length is not there. */
  function endOfFrame(start: number): number | undefined {
    if (held - start < HEADER_BYTES) return undefined
    const bytes = buffer.readUInt32BE(start)
    if (bytes === 0 || bytes > maxBytes) throw new RangeError('a frame has 1 byte to 4 MiB')
    return start + HEADER_BYTES + bytes
  }

  return {
    heldBytes: () => held,
    push(chunk) {
      keep(chunk)
      const frames: FrameBody[] = []
      let start = 0
      for (let end = endOfFrame(0); end !== undefined && end <= held; end = endOfFrame(start)) {
        frames.push(parseBody(buffer.subarray(start + HEADER_BYTES, end)))
        start = end
      }
      buffer = start === held ? Buffer.alloc(0) : buffer.subarray(start)
      held -= start
      return frames
    },
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function parseBody(bytes: Uint8Array): FrameBody {
  const value: unknown = JSON.parse(decoder.decode(bytes))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('a frame is a JSON object')
  return value as FrameBody // an object, checked above
}
