/**
 * The newest lines of a ledger that match, read from its end.
 *
 * Segments are looked at newest first, and no further than what was asked for. A plain one is read backwards; a
 * compressed one, or one in which a line is no entry, forwards, so that such lines can be named. Memory grows with
 * `count` alone. The lines are attacker-controlled and nothing here is verified.
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isCompressed, type LedgerFiles, listSegments, type RawLine, readLines, type SegmentFile } from '@sworn/recorder/segments'
import { type Entry, MAX_LINE, parseEntry } from './entry.ts'
import type { FilePlace } from './follow.ts'

const CHUNK_BYTES = 1 << 18

export interface NewestOptions {
  readonly count: number
  /** The entry, false for no match, undefined for a line that is no entry. */
  readonly match: (line: Pick<RawLine, 'bytes'>) => Entry | false | undefined
  /** Told of whole lines that are no entries, in the segments that were looked at. */
  readonly onUnreadable: (line: Pick<RawLine, 'file' | 'number'>) => void
}

export interface Newest {
  /** Oldest first, at most `count`; without LF. */
  readonly lines: readonly Buffer[]
  /** Behind the last whole line. */
  readonly next: NextLine
}

/** The seq of the line that comes next, and where it is to be when that is known. */
export interface NextLine {
  readonly seq: number
  readonly place?: FilePlace
}

/** What one segment gives. */
interface Part {
  readonly lines: readonly Buffer[]
  /** Undefined when no line is whole. */
  readonly next: NextLine | undefined
}

/** @throws the file system's errors; errors of decompression */
export async function readNewest(files: LedgerFiles, options: NewestOptions): Promise<Newest> {
  let lines: readonly Buffer[] = []
  let next: NextLine | undefined
  for (const segment of listSegments(files).toReversed()) {
    const count = options.count - lines.length
    if (next && count === 0) break
    const back = isCompressed(segment.path) ? undefined : readBackwards(segment.path, { ...options, count })
    const part = back ?? (await readForwards(segment, { ...options, count }))
    lines = [...part.lines, ...lines]
    next ??= part.next
  }
  return { lines, next: next ?? { seq: 0 } }
}

/** Undefined when a line is no entry: reading forwards says which. */
function readBackwards(path: string, { count, match }: NewestOptions): Part | undefined {
  const fd = openSync(path, 'r')
  try {
    const { size, ino, dev } = fstatSync(fd, { bigint: true })
    const found: Buffer[] = []
    let next: NextLine | undefined
    for (const line of linesBackwards(fd, Number(size))) {
      if (line === undefined) return undefined
      const last = next ?? startBehind(line, { ino, dev })
      const entry = match(line)
      if (last === undefined || entry === undefined) return undefined
      next = last
      if (entry && found.length < count) found.push(Buffer.from(line.bytes)) // not a part of a chunk: those are large
      if (found.length >= count) break
    }
    return { lines: found.reverse(), next }
  } finally {
    closeSync(fd)
  }
}

function startBehind({ bytes, end }: BackLine, file: Omit<FilePlace, 'offset'>): NextLine | undefined {
  const entry = parseEntry({ bytes })
  return entry && { seq: entry.seq + 1, place: { ...file, offset: end } }
}

interface BackLine {
  readonly bytes: Buffer
  /** Offset behind its LF. */
  readonly end: number
}

/** Whole lines of a plain file, the last first; undefined, once, in place of one that is too long. */
function* linesBackwards(fd: number, size: number): Generator<BackLine | undefined> {
  let end = -1 // behind the LF of the line at hand
  let held: Buffer = Buffer.alloc(0) // what is known of it: its end
  for (let to = size; to > 0; ) {
    const from = Math.max(0, to - CHUNK_BYTES)
    const chunk = readFully(fd, from, to)
    let stop = chunk.length
    for (let lf = chunk.lastIndexOf(10); lf >= 0; lf = lf === 0 ? -1 : chunk.lastIndexOf(10, lf - 1)) {
      const head = chunk.subarray(lf + 1, stop)
      if (end >= 0) yield { bytes: held.length === 0 ? head : Buffer.concat([head, held]), end }
      end = from + lf + 1
      held = Buffer.alloc(0)
      stop = lf
    }
    if (end >= 0) held = Buffer.concat([chunk.subarray(0, stop), held])
    if (held.length >= MAX_LINE) return void (yield undefined)
    to = from
  }
  if (end >= 0) yield { bytes: held, end }
}

function readFully(fd: number, from: number, to: number): Buffer {
  const chunk = Buffer.allocUnsafe(to - from)
  let read = 0
  for (let n = 1; n > 0 && read < chunk.length; read += n) n = readSync(fd, chunk, read, chunk.length - read, from + read)
  return chunk.subarray(0, read)
}

async function readForwards({ path, firstSeq }: SegmentFile, { count, match, onUnreadable }: NewestOptions): Promise<Part> {
  let lines: Buffer[] = []
  let seq: number | undefined
  for await (const line of readLines(path)) {
    if (!line.complete) break
    const entry = match(line)
    if (entry === undefined) onUnreadable(line)
    seq = (seq ?? firstSeq ?? parseEntry(line)?.seq ?? 0) + 1
    if (entry) lines.push(Buffer.from(line.bytes))
    if (lines.length > 2 * count) lines = lines.slice(lines.length - count)
  }
  return { lines: lines.slice(lines.length - Math.min(count, lines.length)), next: seq === undefined ? undefined : { seq } }
}
