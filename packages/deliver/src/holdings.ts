/**
 * The reading side of a sink: what it holds, for whoever compares that with the ledger.
 *
 * Beside the sink, not part of it: nothing that reads writes, makes or moves anything at the other side. A type of sink
 * that can be asked gives `holdings` in its line of the table. Promises:
 *  1. `read` gives everything of this ledger that is there in the range, an entry as often as it is there.
 *  2. Nothing is repaired or left out: what is there and cannot be understood is given with the reason.
 *  3. Memory does not grow with the range.
 *  4. No error holds a value of an event, a credential or an address with one.
 * @module
 */

/** Entries `[from, to)`; `to` may be Infinity. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** What is there of one entry. */
export interface Held {
  /** Undefined where what is there does not say to which entry it belongs. */
  readonly seq: number | undefined
  /** What stands in the place of `Item.body`. */
  readonly body: string
  /** Why it is not what was sent although its body may be: columns of a table that say something else. In words of ours. */
  readonly wrong?: string | undefined
}

export interface Holdings {
  /** `bytes`: bodies as they were sent. `values`: kept as JSON, so that order of members and spacing say nothing. */
  readonly compares: 'bytes' | 'values'
  /** True when entries that were never sent are found too; false where only those are found that are asked for. */
  readonly findsExtra: boolean
  /** In any order. @throws SwornError SINK_UNREADABLE when it cannot be asked */
  read(range: Range, signal: AbortSignal): AsyncIterable<Held>
  /**
   * RFC 9162 root over the entry hashes of the range, computed by the other side from the lines it holds; `from` is a
   * multiple of the range's width, which is a power of two. Undefined where it does not hold them all.
   */
  root?(range: Range, signal: AbortSignal): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

/** @throws SwornError SINK_UNREADABLE, DRIVER_MISSING */
export type OpenHoldings = () => Promise<Holdings>
