/**
 * A scan on threads: ranges of a segment that is held open here go to them in turn.
 *
 * Only of plain files, since a compressed one is one stream; and not with a program for a filter, which stays on its thread.
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import { startThreads } from '../threads.ts'
import type { Filter } from './filter.ts'
import type { Group, Tally } from './groups.ts'
import { cutRanges, type PieceRange } from './pieces.ts'

const RANGE_BYTES = 4 << 20

export interface RangeTask {
  readonly fd: number
  readonly range: PieceRange
  /** Without `where`. */
  readonly filter: Filter
  /** Undefined: the lines are wanted. */
  readonly groups: readonly Group[] | undefined
}

export interface RangeAnswer {
  readonly lines: number
  /** Lines that are no entries: how many of the range stand before each. */
  readonly unreadable: readonly number[]
  /** By the groups that were asked for. */
  readonly counts: readonly Tally[]
  /** Of the matches, and their lines one behind the other, without LF. */
  readonly seqs: Float64Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface ScanThreads {
  /** Answers about a plain file, in its order. @throws the file system's error; SwornError IO_FAILED when a thread died */
  read(path: string): AsyncGenerator<RangeAnswer>
  close(): Promise<void>
}

export function startScanThreads(filter: Filter, groups: readonly Group[] | undefined): ScanThreads {
  const threads = startThreads<RangeTask, RangeAnswer>(import.meta.url, './scan-worker', { fault: 'IO_FAILED' })
  function* tasks(fd: number): Generator<RangeTask> {
    for (const range of cutRanges(fd, RANGE_BYTES)) yield { fd, range, filter, groups }
  }
  let open: number | undefined
  return {
    async *read(path) {
      open = openSync(path, 'r') // neither a new name nor compression takes it from under the threads
      yield* threads.answers(tasks(open))
      closeSync(open)
      open = undefined
    },
    async close() {
      await threads.close() // before the file that they may be reading
      if (open !== undefined) closeSync(open)
    },
  }
}
