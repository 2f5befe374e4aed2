/**
 * A scan on threads: ranges of segments that are held open here go to them in turn.
 *
 * Only of plain files, since a compressed one is one stream; and not with a program for a filter, which stays on its thread.
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import { startThreads } from '../threads.ts'
import type { Filter } from './filter.ts'
import type { Group } from './groups.ts'
import { cutRanges } from './pieces.ts'
import { createLookThrough, type RangeAnswer, type RangeTask } from './scan-range.ts'

/** Large beside what it costs to ask for one, small beside a file: at the end one thread waits for another's last ones. */
const RANGE_BYTES = 2 << 20

export interface FileAnswer extends RangeAnswer {
  readonly path: string
}

export interface ScanThreads {
  /**
   * Answers about plain files, in their order: the threads go on with the next file while one is ended.
   * @throws the file system's error; SwornError IO_FAILED when a thread died
   */
  read(paths: Iterable<string>): AsyncGenerator<FileAnswer>
  close(): Promise<void>
}

interface OpenFile {
  readonly path: string
  readonly fd: number
  /** Of its ranges that were asked for. */
  unanswered: number
  /** All of its ranges were asked for. */
  isCut: boolean
}

export function startScanThreads(filter: Filter, groups: readonly Group[] | undefined): ScanThreads {
  const threads = startThreads<RangeTask, RangeAnswer>(import.meta.url, './scan-worker', {
    fault: 'IO_FAILED',
    answer: createLookThrough(),
  })
  const open = new Set<OpenFile>()
  const asked: OpenFile[] = []
  const close = (file: OpenFile): void => {
    if (open.delete(file)) closeSync(file.fd)
  }
  const closeDone = (file: OpenFile): void => {
    if (file.isCut && file.unanswered === 0) close(file)
  }
  function* tasks(paths: Iterable<string>): Generator<RangeTask> {
    for (const path of paths) {
      const fd = openSync(path, 'r') // neither a new name nor compression takes it from under the threads
      const file = { path, fd, unanswered: 0, isCut: false }
      open.add(file)
      for (const range of cutRanges(fd, RANGE_BYTES)) {
        asked.push(file)
        file.unanswered++
        yield { fd, range, filter, groups }
      }
      file.isCut = true
      closeDone(file)
    }
  }
  return {
    async *read(paths) {
      for await (const answer of threads.answers(tasks(paths))) {
        const file = asked.shift()! // they come in the order of the tasks
        yield { ...answer, path: file.path }
        file.unanswered--
        closeDone(file)
      }
    },
    async close() {
      await threads.close() // before the files that they may be reading
      for (const file of [...open]) close(file)
    },
  }
}
