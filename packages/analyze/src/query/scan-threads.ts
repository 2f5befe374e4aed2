/**
 * A scan on threads: ranges of a segment that is held open here go to them in turn.
 *
 * Only of plain files, since a compressed one is one stream; and not with a program for a filter, which stays on its thread.
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import { startThreads } from '../threads.ts'
import type { Filter } from './filter.ts'
import type { Group } from './groups.ts'
import { cutRanges } from './pieces.ts'
import { lookThrough, type RangeAnswer, type RangeTask } from './scan-range.ts'

const RANGE_BYTES = 4 << 20

export interface ScanThreads {
  /** Answers about a plain file, in its order. @throws the file system's error; SwornError IO_FAILED when a thread died */
  read(path: string): AsyncGenerator<RangeAnswer>
  close(): Promise<void>
}

export function startScanThreads(filter: Filter, groups: readonly Group[] | undefined): ScanThreads {
  const threads = startThreads<RangeTask, RangeAnswer>(import.meta.url, './scan-worker', { fault: 'IO_FAILED', answer: lookThrough })
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
