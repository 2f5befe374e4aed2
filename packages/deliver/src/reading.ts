/**
 * One segment at hand: its whole lines, from near the entry that is wanted on.
 *
 * A plain file is read by position, a piece ahead while more is there, and stays at hand when it is renamed, compressed
 * or removed. Half a line at its end is read anew, because after a crash the writer cuts it off. A compressed one is
 * closed, and streams.
 * @module
 */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createSplitter, isCompressed, type LedgerFiles, openSegment } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { type Numbered, parseEntryLine } from './numbered.ts'

export interface Reading {
  /** The next whole lines, about 1 MiB; undefined at the present end. */
  read(): Promise<readonly Buffer[] | undefined>
  /** Resolves when what was read is on disk. */
  sync(): Promise<void>
  /** The last read did not come to the present end. */
  readonly isBehind: boolean
  /** True when `path` is this file, under whatever name. */
  isSame(path: string): Promise<boolean>
  close(): Promise<void>
}

const CHUNK_BYTES = 1 << 20
/** As readers of lines: a longer one is no entry. */
const MAX_LINE = 2 << 20

/** @param seq where to begin, or somewhat before; what lies before it is the caller's to leave out */
export async function openReading(files: LedgerFiles, segment: Numbered, seq: number): Promise<Reading> {
  return isCompressed(segment.path) ? openCompressed(segment.path) : await openPlain(files, segment, seq)
}

function openCompressed(path: string): Reading {
  const stream = openSegment(path)
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  const splitter = createSplitter()
  let isBehind = true
  return {
    get isBehind() {
      return isBehind
    },
    async read() {
      for (;;) {
        const { done, value } = await chunks.next()
        isBehind = !done
        if (done) return undefined
        const lines = splitter.push(value)
        if (lines.length > 0) return lines
      }
    },
    sync: async () => {}, // who compressed it has seen to that
    isSame: async (other) => other === path,
    async close() {
      stream.destroy()
    },
  }
}

interface Chunk {
  /** Whole ones. */
  readonly lines: Buffer
  /** It does not come to the present end. */
  readonly isFull: boolean
}

async function openPlain(files: LedgerFiles, segment: Numbered, seq: number): Promise<Reading> {
  const file = await open(segment.path)
  let at = await seek(file, files, segment, seq)
  let size = CHUNK_BYTES
  let isBehind = false
  let isSynced = true
  let ahead: Promise<Chunk> | undefined // read while the one before it is shaped and shipped
  async function load(): Promise<Chunk> {
    const buffer = Buffer.allocUnsafe(size)
    const { bytesRead } = await file.read(buffer, 0, size, at)
    const lines = buffer.subarray(0, buffer.subarray(0, bytesRead).lastIndexOf(10) + 1)
    return { lines, isFull: bytesRead === buffer.length }
  }
  async function take(): Promise<Chunk> {
    const early = ahead
    ahead = undefined
    const chunk = await early
    return chunk?.isFull ? chunk : await load() // what was the end then may not be now
  }
  return {
    get isBehind() {
      return isBehind
    },
    async read() {
      for (;;) {
        const { lines, isFull } = await take()
        isBehind = isFull
        if (lines.length > 0) {
          at += lines.length
          isSynced = false
          size = CHUNK_BYTES
          if (isFull) ahead = load()
          ahead?.catch(() => {}) // met where it is taken
          return createSplitter().push(lines)
        }
        if (!isFull) return undefined
        if (size > MAX_LINE) throw new SwornError('LINE_MALFORMED', 'a shorter line was expected', segment.path)
        size *= 2
      }
    },
    async sync() {
      if (!isSynced && process.platform !== 'win32') await file.datasync() // there only a writer may
      isSynced = true
    },
    async isSame(path) {
      const [a, b] = await Promise.all([file.stat({ bigint: true }), stat(path, { bigint: true }).catch(() => undefined)])
      return b !== undefined && a.ino === b.ino && a.dev === b.dev
    },
    async close() {
      await ahead?.catch(() => {}) // nobody waits for it any more
      await file.close()
    },
  }
}

/** The offset of entry `seq`, by the recorder's own index; 0 where that does not lead to it. */
async function seek(file: FileHandle, { directory }: LedgerFiles, { firstSeq }: Numbered, seq: number): Promise<number> {
  if (directory === undefined || seq <= firstSeq) return 0
  const index = await open(join(directory, 'index', `${String(firstSeq).padStart(20, '0')}.off`)).catch(() => undefined)
  if (index === undefined) return 0
  try {
    const ends = Buffer.alloc(8) // where the entry before ends, and this one
    const { bytesRead } = await index.read(ends, 0, 8, (seq - firstSeq - 1) * 4)
    const [from, to] = [ends.readUInt32LE(0), ends.readUInt32LE(4)]
    if (bytesRead < 8 || to - from < 2 || to - from > MAX_LINE) return 0
    const line = Buffer.alloc(to - from)
    const found = await file.read(line, 0, line.length, from)
    return found.bytesRead === line.length && parseEntryLine(line.subarray(0, -1), '').seq === seq ? from : 0
  } catch {
    return 0 // it is derived: the segment itself is read
  } finally {
    await index.close()
  }
}
