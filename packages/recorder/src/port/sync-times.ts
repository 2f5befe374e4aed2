/**
 * How long the disk takes: each fdatasync of the ledger, counted where it happens and read from another thread.
 *
 * One thread adds, any reads; a reader may see a count before its sum. Plain numbers in memory that both have.
 * @module
 */
import type { FileOps } from '../ledger/file-ops.ts'

/** Upper bounds in milliseconds; the last bucket is everything above. */
const BOUNDS_MS = [0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000] as const
/** A count a bucket, and their sum. */
const SUM = BOUNDS_MS.length + 1
export const SYNC_TIME_WORDS = SUM + 1

export interface SyncTimes {
  readonly boundsMs: readonly number[]
  /** One more than bounds. */
  readonly counts: readonly number[]
  readonly sumMs: number
}

/** What was counted into `words`. */
export function readSyncTimes(words: Float64Array): SyncTimes {
  return { boundsMs: BOUNDS_MS, counts: [...words.subarray(0, SUM)], sumMs: words[SUM]! }
}

/** The same operations; each fdatasync, failed ones too, is counted into `words`. */
export function timingSyncs(ops: FileOps, words: Float64Array): FileOps {
  const { fdatasyncAside: aside } = ops
  const add = (begun: number): void => {
    const ms = performance.now() - begun
    const bucket = BOUNDS_MS.findIndex((bound) => ms <= bound)
    words[bucket < 0 ? SUM - 1 : bucket]! += 1
    words[SUM]! += ms
  }
  return {
    ...ops,
    fdatasync(fd) {
      const begun = performance.now()
      try {
        ops.fdatasync(fd)
      } finally {
        add(begun)
      }
    },
    ...(aside && {
      fdatasyncAside(fd, done) {
        const begun = performance.now()
        aside(fd, (error) => {
          add(begun)
          done(error)
        })
      },
    }),
  }
}
