/**
 * Lines by their place: neighbours in one read, compressed segments in one pass as long as places ascend.
 *
 * Each line is checked to be the entry that was asked for. Whether it is what was written, a verification says.
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { isCompressed, type LedgerFiles, openSegment } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { listNumbered, type Segment } from '../index/segments.ts'
import { suffixStart } from '../reading/entry.ts'

export interface LinePlace {
  readonly seq: number
  /** Of the line in its uncompressed segment, and its length without LF. */
  readonly offset: number
  readonly bytes: number
}

export interface LineReader {
  /**
   * The lines at `places`, in their order.
   * @throws SwornError INDEX_STALE when another line lies there, IO_FAILED when its segment was pruned; the file system's error
   */
  read(places: readonly LinePlace[]): Promise<Buffer[]>
  close(): void
}

/** Neighbours this near are read together, up to this many bytes: to read what lies between costs less than another read. */
const NEAR_BYTES = 4 << 10
const MOST_BYTES = 1 << 20
/** What is read lies together in pieces of this many bytes: one of its own for each read costs as much as the read. */
const SLAB_BYTES = 256 << 10

/**
 * @param starts first seq of each segment as it was indexed, ascending
 * @param isPassing lines hold until the next ones are read, which lie where they lay: memory that is new costs as much as the read
 */
export function openLineReader(files: LedgerFiles, starts: readonly number[], isPassing: boolean): LineReader {
  const room: Room = { slab: Buffer.alloc(0), at: 0, slabBytes: isPassing ? MOST_BYTES : SLAB_BYTES }
  let segments = listNumbered(files)
  let open: OpenSegment | undefined

  /** The file may have been renamed or compressed since it was listed: a second look finds it. */
  function openFor(seq: number): OpenSegment {
    if (open && seq >= open.from && seq < open.to) return open
    open?.bytes.close()
    open = undefined
    const from = starts.findLast((first) => first <= seq) ?? 0
    const to = starts.find((first) => first > from) ?? Number.POSITIVE_INFINITY
    // Its name is that of another segment as soon as it is rotated.
    if (segments.find(({ firstSeq }) => firstSeq === from)?.path === files.activeFile) segments = listNumbered(files)
    const bytes = tryOpen(segments, from, room) ?? tryOpen((segments = listNumbered(files)), from, room)
    if (!bytes && (segments[0]?.firstSeq ?? 0) > from)
      throw new SwornError('IO_FAILED', 'a file of the ledger was dropped while the ledger was read; ask again', `seq=${from}`)
    if (!bytes) throw new SwornError('INDEX_STALE', 'a segment that was indexed was expected', `seq=${from}`)
    open = { from, to, bytes }
    return open
  }

  return {
    async read(places) {
      const lines: Buffer[] = []
      if (isPassing) room.at = 0
      for (let i = 0; i < places.length; ) {
        const segment = openFor(places[i]!.seq)
        const { end, to } = runFrom(places, i, segment)
        const from = places[i]!.offset
        const read = segment.bytes.read(from, to)
        const bytes = read instanceof Promise ? await read : read // a turn of the event loop costs as much as a line
        for (; i < end; i++) {
          const { offset, bytes: length } = places[i]!
          const line = length === to - from ? bytes : bytes.subarray(offset - from, offset - from + length)
          lines.push(checked(line, places[i]!))
        }
      }
      return lines
    },
    close: () => open?.bytes.close(),
  }
}

interface OpenSegment {
  /** `from <= seq < to` */
  readonly from: number
  readonly to: number
  readonly bytes: SegmentReader
}

/** Up to which place, and which offset, the places from `i` on lie near each other, ascending, in one segment. */
function runFrom(places: readonly LinePlace[], i: number, segment: OpenSegment): { readonly end: number; readonly to: number } {
  const from = places[i]!.offset
  let to = from + places[i]!.bytes
  for (let end = i + 1; ; end++) {
    const next = places[end]
    const isNear = next && next.seq >= segment.from && next.seq < segment.to && next.offset >= to && next.offset - to < NEAR_BYTES
    if (!isNear || next.offset + next.bytes - from > MOST_BYTES) return { end, to }
    to = next.offset + next.bytes
  }
}

function checked(line: Buffer, place: LinePlace): Buffer {
  const isWhole = line.length === place.bytes && line[0] === 0x7b && line.at(-1) === 0x7d
  if (!isWhole || !hasSeq(line, place.seq))
    throw new SwornError('INDEX_STALE', 'the entry that was indexed was expected', `seq=${place.seq}`)
  return line
}

/** The seq stands before the hashes where the recorder wrote the line, and somewhere in any other. */
function hasSeq(line: Buffer, seq: number): boolean {
  return endsWithSeq(line, suffixStart(line, 0, line.length), seq) || line.lastIndexOf(`"seq":${seq}`) >= 0
}

/** Digit by digit: a text of each line costs more than all else that is asked of it. */
function endsWithSeq(line: Buffer, end: number, seq: number): boolean {
  let at = end
  for (let rest = seq; at === end || rest > 0; rest = Math.floor(rest / 10)) if (line[--at] !== 0x30 + (rest % 10)) return false
  for (let i = SEQ_HEAD.length - 1; i >= 0; i--) if (line[--at] !== SEQ_HEAD[i]) return false
  return true
}

const SEQ_HEAD = Buffer.from('"seq":')

interface SegmentReader {
  /** The bytes `[from, to)`, fewer at the end. */
  read(from: number, to: number): Buffer | Promise<Buffer>
  close(): void
}

/** Where the next bytes that are read will lie. */
interface Room {
  slab: Buffer
  at: number
  /** Of the next slab, unless more is read at once. */
  readonly slabBytes: number
}

function tryOpen(segments: readonly Segment[], start: number, room: Room): SegmentReader | undefined {
  const segment = segments.find(({ firstSeq }) => firstSeq === start)
  if (!segment) return undefined
  if (isCompressed(segment.path)) return openCompressed(segment.path)
  try {
    return openPlain(segment.path, room)
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return undefined
    throw e
  }
}

function openPlain(path: string, room: Room): SegmentReader {
  const fd = openSync(path, 'r')
  return {
    read(from, to) {
      const size = to - from
      if (room.at + size > room.slab.length) {
        room.slab = Buffer.allocUnsafeSlow(Math.max(size, room.slabBytes))
        room.at = 0
      }
      const at = room.at
      room.at += size
      return room.slab.subarray(at, at + readSync(fd, room.slab, at, size, from))
    },
    close: () => closeSync(fd),
  }
}

/** Goes forward in the stream; begins anew to go back. */
function openCompressed(path: string): SegmentReader {
  let stream: Readable | undefined
  let chunks: AsyncIterator<Buffer> | undefined
  let held: Buffer = Buffer.alloc(0)
  let at = 0 // offset of held[0]
  const close = (): void => void stream?.destroy()
  return {
    async read(from, to) {
      if (!chunks || from < at) {
        close()
        stream = openSegment(path)
        chunks = stream[Symbol.asyncIterator]()
        held = Buffer.alloc(0)
        at = 0
      }
      while (at + held.length < to) {
        const { done, value } = await chunks.next()
        if (done) break
        const kept = held.subarray(Math.min(held.length, Math.max(0, from - at)))
        at += held.length - kept.length
        held = kept.length === 0 ? value : Buffer.concat([kept, value])
      }
      return Buffer.from(held.subarray(from - at, to - at))
    },
    close,
  }
}
