/**
 * Follows a ledger while it is written, across rotation of both layouts, without losing or repeating a line.
 *
 * A position is a seq, so a rename between two looks does no harm. The file at hand is read to its end; only
 * when its successor exists is the end final: the next segment is named by the next seq, or in file mode the
 * stable name has another inode. Whoever is slow finds the next segment packed, and reads it so, or pruned, and goes on behind it. Woken by file events, and by a
 * timer of at least 100 ms where events do not arrive (network and container file systems); then it rests for REST_MS, so
 * that a ledger that grows line by line is not read at each of them, while whoever wrote the line waits for the same processor.
 * @module
 */
import { existsSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSplitter, createWaiter, isCompressed, type LedgerFiles, listSegments, readLines } from '@sworn/recorder/segments'
import { parseEntry } from './entry.ts'

/** Bytes; of the first, several buffers share memory. */
const FIRST_READ = 1 << 11
const MAX_READ = 1 << 16
const REST_MS = 25

/** A file at hand: `seq` is that of the line that comes next in it. */
interface Position {
  readonly file: FileHandle
  offset: number
  seq: number
  readonly splitter: ReturnType<typeof createSplitter>
}

/** An offset in a file, whatever its name is now. */
export interface FilePlace {
  readonly ino: bigint
  readonly dev: bigint
  readonly offset: number
}

/**
 * Yields complete lines from `nextSeq` on as they are written, until `signal` aborts.
 * @param place where that line is to be; without it the file that holds it is read from its beginning
 */
export async function* followLedger(files: LedgerFiles, nextSeq: number, signal: AbortSignal, place?: FilePlace): AsyncGenerator<Buffer> {
  const waiter = createWaiter(files, signal)
  let at: Position | undefined
  let next = nextSeq
  let start = place
  let packed: string | undefined
  try {
    while (!signal.aborted) {
      const ended = at === undefined || (await hasSuccessor(files, at.file, next)) // asked before the read, so that the read reaches the true end
      for await (const line of at ? readLinesFrom(at) : []) {
        if (at!.seq <= next) continue // `seq` has moved past the line: it was given before
        next = at!.seq
        yield line
      }
      const moved = ended ? await openAt(files, next, at?.file, start) : undefined
      if (moved === undefined || ('packed' in moved && moved.packed === packed)) {
        await waiter.next()
        await sleep(REST_MS, undefined, { signal }).catch(() => {}) // the signal ends the loop
      } else if ('packed' in moved) {
        packed = moved.packed // read once: it does not grow
        for await (const { bytes, number } of readLines(packed)) {
          if (moved.seq + number <= next) continue
          next = moved.seq + number
          yield bytes
        }
      } else {
        await at?.file.close()
        at = moved
        start = undefined // the number of a file that is gone may be another's
      }
    }
  } finally {
    waiter.close()
    await at?.file.close()
  }
}

/** Complete lines that are there now; moves the position past each. */
async function* readLinesFrom(at: Position): AsyncGenerator<Buffer> {
  for await (const chunk of readFrom(at.file, at.offset)) {
    at.offset += chunk.length
    for (const line of at.splitter.push(chunk)) {
      at.seq++
      yield line
    }
  }
}

/** A closed segment that was compressed; `seq` is that of its first line. */
interface Packed {
  readonly packed: string
  readonly seq: number
}

/**
 * Opens the file that holds `seq`: the newest that begins at or before it, when it is not the one at hand; where that was
 * pruned, the oldest that is left.
 */
async function openAt(
  files: LedgerFiles,
  seq: number,
  current: FileHandle | undefined,
  place: FilePlace | undefined,
): Promise<Position | Packed | undefined> {
  const listed = listSegments(files)
  for (const segment of listed.toReversed()) {
    const first = segment.firstSeq ?? (await firstSeq(segment.path))
    if (first === undefined || (first > seq && segment !== listed[0])) continue
    if (isCompressed(segment.path)) return { packed: segment.path, seq: first }
    if (current && (await isSame(current, segment.path))) return undefined
    const file = await open(segment.path)
    const known = place && (await isOf(file, place)) ? { offset: place.offset, seq } : { offset: 0, seq: first }
    return { file, ...known, splitter: createSplitter() }
  }
  return undefined
}

/** To the end that the file has at some moment of this. A ledger that is followed grows by a line or two: the first read is small. */
async function* readFrom(file: FileHandle, offset: number): AsyncGenerator<Buffer> {
  let at = offset
  for (let size = FIRST_READ; ; size = Math.min(2 * size, MAX_READ)) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at)
    at += bytesRead
    if (bytesRead > 0) yield buffer.subarray(0, bytesRead)
    if (bytesRead < size) return
  }
}

/** The writer has left the file at hand. */
async function hasSuccessor(files: LedgerFiles, file: FileHandle, nextSeq: number): Promise<boolean> {
  if (files.activeFile) return existsSync(files.activeFile) && !(await isSame(file, files.activeFile))
  const next = segmentPath(files, nextSeq)
  return (next !== undefined && existsSync(next)) || (await file.stat()).nlink === 0 // packed or pruned: so the next one may be
}

function segmentPath(files: LedgerFiles, seq: number): string | undefined {
  return files.directory && join(files.directory, 'segments', `${String(seq).padStart(20, '0')}.jsonl`)
}

async function firstSeq(path: string): Promise<number | undefined> {
  for await (const line of readLines(path)) return line.complete ? parseEntry(line)?.seq : undefined
  return undefined
}

async function isOf(file: FileHandle, { ino, dev }: FilePlace): Promise<boolean> {
  const stat = await file.stat({ bigint: true })
  return stat.ino === ino && stat.dev === dev
}

async function isSame(file: FileHandle, path: string): Promise<boolean> {
  const [a, b] = await Promise.all([file.stat({ bigint: true }), stat(path, { bigint: true }).catch(() => undefined)])
  return b !== undefined && a.ino === b.ino && a.dev === b.dev
}
