/** Counters and histograms of a recorder: plain numbers, a snapshot. @module */

export interface Histogram {
  /** Upper bounds in milliseconds; the last bucket is everything above. */
  readonly boundsMs: readonly number[]
  readonly counts: readonly number[]
  readonly sumMs: number
}

export interface RecorderStats {
  readonly recorded: number
  readonly acknowledged: number
  readonly failed: number
  readonly refused: number
  readonly filtered: number
  readonly shed: number
  readonly waited: number
  readonly batches: number
  readonly bytes: number
  readonly outstanding: number
  readonly outstandingBytes: number
  /** From handing over a batch to its answer. */
  readonly ackMs: Histogram
  /** Each fdatasync of the ledger by this process; absent where the port does not say. */
  readonly syncMs?: Histogram
}

const BOUNDS_MS = [0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000] as const

export type Counter = 'recorded' | 'acknowledged' | 'failed' | 'refused' | 'filtered' | 'shed' | 'waited' | 'batches' | 'bytes'

export interface Meter {
  add(counter: Counter, n?: number): void
  ack(ms: number): void
  snapshot(outstanding: number, outstandingBytes: number): RecorderStats
}

export function createMeter(): Meter {
  const counters = { recorded: 0, acknowledged: 0, failed: 0, refused: 0, filtered: 0, shed: 0, waited: 0, batches: 0, bytes: 0 }
  const counts = new Array<number>(BOUNDS_MS.length + 1).fill(0)
  let sumMs = 0
  return {
    add(counter, n = 1) {
      counters[counter] += n
    },
    ack(ms) {
      const bucket = BOUNDS_MS.findIndex((bound) => ms <= bound)
      counts[bucket < 0 ? BOUNDS_MS.length : bucket]! += 1
      sumMs += ms
    },
    snapshot: (outstanding, outstandingBytes) => ({
      ...counters,
      outstanding,
      outstandingBytes,
      ackMs: { boundsMs: BOUNDS_MS, counts: [...counts], sumMs },
    }),
  }
}
