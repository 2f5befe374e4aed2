/**
 * What is written when a batch is safe: receipts, then the cursor.
 * @module
 */
import type { LedgerFiles } from '@sworn/recorder/segments'
import { type Cursor, writeCursor } from './cursor.ts'
import type { Window } from './gather.ts'
import { seenCheckpoint } from './history.ts'
import type { SinkPlaces } from './places.ts'
import { type Receipt, type Run, writeReceipts } from './receipts.ts'
import type { Shipped } from './ship.ts'

/** Entries `[from, to)` that were gone before they were delivered: pruned, or their segment is missing. */
export interface LostRange {
  readonly from: number
  readonly to: number
}

export interface CommitOptions {
  readonly files: LedgerFiles
  readonly now: number
}

/** What is to be written. */
export interface Commit {
  readonly cursor: Cursor
  readonly receipts: readonly Receipt[]
  readonly lost: readonly LostRange[]
}

/** @param cursor before the window */
export function prepareCommit(cursor: Cursor, window: Window, shipped: Shipped, { files, now }: CommitOptions): Commit {
  const lost = gapsOf(cursor.next, window.runs)
  const at = new Date(now).toISOString()
  const { origin } = cursor
  const receipts = [
    ...lost.map((range): Receipt => ({ origin, ...range, sent: 0, parked: 0, at, lost: 'pruned or missing' })),
    ...window.runs.map((run) => receiptOf(run, window, shipped, { origin, at })),
  ]
  const last = window.lines.at(-1)!
  const mark = shipped.mark ?? cursor.mark
  const next: Cursor = {
    origin,
    next: last.seq + 1,
    first: cursor.first,
    entryHash: last.entryHash,
    lost: cursor.lost + lost.reduce((sum, { from, to }) => sum + to - from, 0),
    checkpoint: seenCheckpoint(files),
    segments: cursor.segments,
    ...(mark !== undefined && { mark }),
  }
  return { cursor: next, receipts, lost }
}

/** Batches that may be safe at the sink and not yet in the cursor: a crash ships them again. */
const UNWRITTEN = 4

export interface Commits {
  /** Writes it beside what follows; waits while too many before it are not on disk. @throws SwornError IO_FAILED of one before */
  add(commit: Commit): Promise<void>
  /** Resolves when all are on disk. @throws SwornError IO_FAILED */
  written(): Promise<void>
}

/** Writes in order; those that come while others are written are then written as one. After a failure nothing is written any more. */
export function createCommits(places: SinkPlaces, onLost: (lost: LostRange) => void): Commits {
  let waiting: Commit[] = []
  let tail = Promise.resolve()
  const unwritten: Promise<void>[] = []
  async function flush(): Promise<void> {
    const commits = waiting
    waiting = []
    const last = commits.at(-1)
    if (!last) return // the one before took it along
    await writeReceipts(
      places.receipts,
      commits.flatMap(({ receipts }) => receipts),
    )
    await writeCursor(places.cursor, last.cursor)
    for (const { lost } of commits) lost.forEach(onLost)
  }
  return {
    async add(commit) {
      waiting.push(commit)
      tail = tail.then(flush)
      tail.catch(() => {}) // met where it is awaited
      unwritten.push(tail)
      if (unwritten.length > UNWRITTEN) await unwritten.shift()
    },
    written: () => tail,
  }
}

function receiptOf({ from, to, root }: Run, window: Window, shipped: Shipped, common: Pick<Receipt, 'origin' | 'at'>): Receipt {
  const within = (seq: number) => seq >= from && seq < to
  const parked = shipped.refused.filter(({ item }) => within(item.seq)).length
  const sent = window.items.filter(({ seq }) => within(seq)).length - parked
  return { ...common, from, to, root, sent, parked, ...(shipped.id !== undefined && { id: shipped.id }) }
}

function gapsOf(expected: number, runs: readonly Run[]): readonly LostRange[] {
  return runs.flatMap((run, i) => {
    const from = i === 0 ? expected : runs[i - 1]!.to
    return run.from > from ? [{ from, to: run.from }] : []
  })
}
