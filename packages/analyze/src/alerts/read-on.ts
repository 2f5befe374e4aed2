/**
 * The entries of a ledger from a position to its end, and then as they are written.
 *
 * Closed segments may be compressed; what is no entry is passed by. Nothing here is verified.
 * @module
 */
import { type LedgerFiles, listSegments, readLines } from '@sworn/recorder/segments'
import { type Entry, parseEntry } from '../reading/entry.ts'
import { followLedger } from '../reading/follow.ts'

/** Said once: everything that was there has been read. */
export const CAUGHT_UP = Symbol('caught up')

/** @param from the seq to begin with; what was pruned is passed by */
export async function* readOn(files: LedgerFiles, from: number, signal: AbortSignal): AsyncGenerator<Entry | typeof CAUGHT_UP> {
  let next = from
  for (let before = -1; before !== next && !signal.aborted; ) {
    before = next
    for await (const entry of readStored(files, next)) {
      if (signal.aborted) return
      next = entry.seq + 1
      yield entry
    }
  }
  yield CAUGHT_UP
  for await (const bytes of followLedger(files, next, signal)) {
    const entry = parseEntry({ bytes })
    if (entry) yield entry
  }
}

/** The entries that are there now, from `from` on. */
export async function* readStored(files: LedgerFiles, from: number): AsyncGenerator<Entry> {
  const segments = listSegments(files)
  for (const [i, { path, firstSeq }] of segments.entries()) {
    const following = segments[i + 1]?.firstSeq
    if (following !== undefined && following <= from) continue
    for await (const line of readLines(path)) {
      if (!line.complete || (firstSeq !== undefined && firstSeq + line.number - 1 < from)) continue
      const entry = parseEntry(line)
      if (entry && entry.seq >= from) yield entry
    }
  }
}
