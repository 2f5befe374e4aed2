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
  readonly places: SinkPlaces
  readonly now: number
}

/** What is to be written, and what it says. */
export interface Commit {
  readonly cursor: Cursor
  readonly lost: readonly LostRange[]
  /** @throws SwornError IO_FAILED: then the batch is shipped again */
  write(): Promise<void>
}

/** @param cursor before the window */
export function prepareCommit(cursor: Cursor, window: Window, shipped: Shipped, { files, places, now }: CommitOptions): Commit {
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
    ...(mark !== undefined && { mark }),
  }
  return {
    cursor: next,
    lost,
    async write() {
      await writeReceipts(places.receipts, receipts)
      await writeCursor(places.cursor, next)
    },
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
