/**
 * Where in a ledger a time begins, by the first entries of its segments.
 * @module
 */
import { type LedgerFiles, listSegments, readLines, type SegmentFile } from '@sworn/recorder/segments'
import { columnsOf } from '../columns.ts'
import { type Entry, parseEntry } from './entry.ts'

/**
 * The seq of the first entry of a segment behind which all lie that are not older than `time` (milliseconds).
 * 0, the beginning, when the first entries of the segments are not in the order of their times, or one has none:
 * then times say nothing about places. Reads one line a segment.
 *
 * @throws the file system's errors; errors of decompression
 */
export async function seekTime(files: LedgerFiles, time: number): Promise<number> {
  let from = 0
  let last = Number.NEGATIVE_INFINITY
  for (const segment of listSegments(files)) {
    const entry = await firstEntry(segment)
    const began = entry && columnsOf(entry).time
    if (entry === undefined || began === undefined || began < last) return 0
    if (began < time) from = entry.seq
    last = began
  }
  return from
}

async function firstEntry({ path }: SegmentFile): Promise<Entry | undefined> {
  for await (const line of readLines(path)) return line.complete ? parseEntry(line) : undefined
  return undefined
}
