/**
 * Feeds the segments of a ledger to a verification: large ones in parts checked on threads, the rest here.
 * @module
 */
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { isCompressed, isDamage, readRange, type SegmentFile } from '@sworn/analyze/reading'
import { isRecording } from '@sworn/recorder/reading'
import type { LogCheck } from '@sworn/verify'
import { type PartThreads, startPartThreads } from './part-threads.ts'
import { PIECE_BYTES, type Piece, planPieces, readPiece } from './pieces.ts'

/** Each further one costs 30 MB of memory. */
const MAX_THREADS = 2
/** Below this a thread takes longer to start than it saves. */
const THREADS_FROM_BYTES = 8 * PIECE_BYTES
const REREAD_MS = 100

export interface FeedOptions {
  /** Aborted: stops with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Bytes on disk that were read, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** 1: no thread is started. Default: by the size of the ledger and the processors there are. */
  readonly threads?: number | undefined
  readonly pieceBytes?: number | undefined
  /** In the place of our own thread. */
  readonly startThread?: (() => Worker) | undefined
}

/**
 * @returns where reading ended in the last segment
 * @throws SwornError NODE_TOO_OLD; the file system's error; what `signal` was aborted with
 */
export async function feedSegments(check: LogCheck, segments: readonly SegmentFile[], options: FeedOptions): Promise<number> {
  const pieces = planPieces(segments, options.pieceBytes)
  const total = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  const count = options.threads ?? (total < THREADS_FROM_BYTES ? 1 : Math.min(MAX_THREADS, availableParallelism(), pieces.length))
  const threads = count > 1 ? startPartThreads(pieces, check, count, options.startThread) : undefined
  let end = 0
  let done = 0
  try {
    for (const [i, piece] of pieces.entries()) {
      const part = await partOf(threads, i, options.signal)
      const joined = part !== undefined && (await check.join(part))
      if (!joined) end = await feedPiece(check, piece, (bytes) => options.onProgress?.(done + bytes, total), options)
      done += piece.bytes
      options.onProgress?.(done, total)
    }
  } finally {
    await threads?.close()
  }
  return end
}

async function partOf(threads: PartThreads | undefined, index: number, signal: AbortSignal | undefined): ReturnType<PartThreads['part']> {
  signal?.throwIfAborted()
  if (!threads || !signal) return threads?.part(index)
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([threads.part(index), aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** @returns where reading ended in a plain file */
async function feedPiece(check: LogCheck, piece: Piece, onBytes: (bytes: number) => void, { signal }: FeedOptions): Promise<number> {
  let read = 0
  try {
    for await (const chunk of readPiece(piece)) {
      signal?.throwIfAborted()
      await check.feed(chunk)
      read += chunk.length
      if (!isCompressed(piece.path)) onBytes(read)
      await nextTurn() // signals and the terminal get their turn
    }
  } catch (e) {
    if (!isDamage(e)) throw e
    check.add('corrupt', basename(piece.path), 'a whole compressed segment was expected')
  }
  return piece.from + read
}

/**
 * Looks again at a last line without end: once, after 100 ms, and only while a recorder answers.
 *
 * @param end where reading ended in `last`
 * @returns true when the line is in progress, not torn
 */
export async function followTail(
  check: LogCheck,
  last: SegmentFile | undefined,
  end: number,
  directory: string | undefined,
): Promise<boolean> {
  if (!check.hasTail() || !last || !directory || isCompressed(last.path) || !(await isRecording(directory))) return false
  await sleep(REREAD_MS)
  for (const chunk of readRange(last.path, end)) await check.feed(chunk)
  return true
}
