/**
 * How far each sink is behind its ledger, read from what lies on disk: for people in any process.
 * @module
 */
import { findLedger, isCompressed, type LedgerFiles, listSegments, readEnd } from '@sworn/recorder/segments'
import { type Cursor, readCursor } from './cursor.ts'
import { type CountLetters, createLetterCount } from './dead-letters.ts'
import { directoryOf } from './deliver.ts'
import { findStart, readAt, timeOf } from './history.ts'
import { listNumbered, parseEntryLine } from './numbered.ts'
import { listSinks, sinkPlaces } from './places.ts'
import { readTrouble, type Trouble } from './trouble.ts'

export interface SinkStatus {
  readonly name: string
  /** seq of the first entry that was not delivered. */
  readonly next: number
  /**
   * Entries that wait, the filter's and the ledger's own among them. For a sink that takes closed segments, those of the
   * segment that is written do not wait yet.
   */
  readonly behind: number
  /** How long the oldest that waits has done so, in seconds; 0 when none does. */
  readonly behindSeconds: number
  readonly parked: number
  /** Entries that were gone before they were delivered. */
  readonly lost: number
  readonly trouble?: Trouble
}

/**
 * @param now milliseconds since 1970
 * @param countLetters kept by whoever asks again and again: then only what was parked since is read
 * @throws SwornError LEDGER_NOT_FOUND, LEDGER_DETACHED, SINK_DIVERGED, IO_FAILED
 */
export async function readSinkStatus(
  path: string,
  now: number,
  countLetters: CountLetters = createLetterCount(),
): Promise<readonly SinkStatus[]> {
  const files = findLedger(path, '/')
  const directory = directoryOf(files)
  const end = await sizeOfLedger(files)
  const found: SinkStatus[] = []
  for (const name of listSinks(directory)) {
    const places = sinkPlaces(directory, name)
    const cursor = readCursor(places.cursor)
    if (!cursor) continue
    const trouble = readTrouble(places.trouble)
    const waits = cursor.segments ? await closedSince(files, cursor) : { end, since: cursor.next }
    found.push({
      name,
      next: cursor.next,
      behind: Math.max(0, waits.end - cursor.next),
      behindSeconds: cursor.next < waits.end ? await ageOf(files, waits.since, now) : 0,
      parked: countLetters(places.dead),
      lost: cursor.lost,
      ...(trouble && { trouble }),
    })
  }
  return found
}

/** Where the closed segments end, and the entry with which the one at the cursor was closed. */
async function closedSince(files: LedgerFiles, { next }: Cursor): Promise<{ end: number; since: number }> {
  const starts = (await listNumbered(files)).map(({ firstSeq }) => firstSeq)
  return { end: starts.at(-1) ?? 0, since: starts.find((start) => start > next) ?? next }
}

async function ageOf(files: LedgerFiles, seq: number, now: number): Promise<number> {
  const line = await readAt(files, seq)
  const time = line ? timeOf(line.bytes) : Number.NaN
  return Number.isNaN(time) ? 0 : Math.max(0, Math.round((now - time) / 1000))
}

/** Room for the last line. */
const END_BYTES = 2 << 20

/** How many entries the ledger has, by the last whole line of its last segment. */
export async function sizeOfLedger(files: LedgerFiles): Promise<number> {
  const last = listSegments(files).at(-1)
  if (last && isCompressed(last.path)) return await findStart(files, 'now') // closed, and packed
  const bytes = last && readEnd(last.path, END_BYTES)
  const end = bytes ? bytes.lastIndexOf(10) : -1
  if (!bytes || !last || end < 0) return last?.firstSeq ?? 0
  return parseEntryLine(bytes.subarray(bytes.lastIndexOf(10, end - 1) + 1, end), last.path).seq + 1
}
