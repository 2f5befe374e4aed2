/**
 * Follows a ledger while it is written, across rotation of both layouts, without losing or repeating a line.
 *
 * The file at hand is read to its end; only when its successor exists is the end final: the next segment is
 * named by the next seq, or in file mode the stable name has another inode. Woken by file events, and by a
 * timer of at least 100 ms where events do not arrive (network and container file systems).
 * @module
 */
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEntry } from './entry.ts'
import type { LedgerFiles } from './layout.ts'
import { createSplitter, readLines } from './lines.ts'

const POLL_MS = 250

export interface FollowStart {
  /** File at hand, how much of it was read, and the seq that comes next. */
  readonly path: string
  readonly offset: number
  readonly nextSeq: number
}

/** Yields complete lines as they are written, until `signal` aborts. */
export async function* followLedger(files: LedgerFiles, start: FollowStart, signal: AbortSignal): AsyncGenerator<Buffer> {
  const waiter = createWaiter(files, signal)
  let file = await open(start.path)
  let { offset, nextSeq } = start
  let splitter = createSplitter()
  try {
    while (!signal.aborted) {
      const ended = await hasSuccessor(files, file, nextSeq) // asked before the read, so that the read reaches the true end
      for await (const chunk of readFrom(file, offset)) {
        offset += chunk.length
        for (const line of splitter.push(chunk)) {
          nextSeq++
          yield line
        }
      }
      const next = ended ? await findFile(files, file, nextSeq) : undefined
      if (next === undefined) await waiter.next()
      else {
        await file.close()
        file = await open(next)
        offset = 0
        splitter = createSplitter()
      }
    }
  } finally {
    waiter.close()
    await file.close()
  }
}

async function* readFrom(file: FileHandle, offset: number): AsyncGenerator<Buffer> {
  for (let at = offset; ; ) {
    const buffer = Buffer.allocUnsafe(1 << 16)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** The writer has left the file at hand. */
async function hasSuccessor(files: LedgerFiles, file: FileHandle, nextSeq: number): Promise<boolean> {
  if (files.activeFile) return existsSync(files.activeFile) && !(await isSame(file, files.activeFile))
  const next = segmentPath(files, nextSeq)
  return next !== undefined && existsSync(next)
}

/** The file whose first entry is `nextSeq`, when it is not the one at hand: a closed segment, else the active file. */
async function findFile(files: LedgerFiles, file: FileHandle, nextSeq: number): Promise<string | undefined> {
  const segment = segmentPath(files, nextSeq)
  if (segment && existsSync(segment) && !(await isSame(file, segment))) return segment
  const { activeFile } = files
  if (!activeFile || (await isSame(file, activeFile))) return undefined
  return (await firstSeq(activeFile)) === nextSeq ? activeFile : undefined
}

function segmentPath(files: LedgerFiles, seq: number): string | undefined {
  return files.directory && join(files.directory, 'segments', `${String(seq).padStart(20, '0')}.jsonl`)
}

async function firstSeq(path: string): Promise<number | undefined> {
  for await (const line of readLines(path)) return line.complete ? parseEntry(line)?.seq : undefined
  return undefined
}

async function isSame(file: FileHandle, path: string): Promise<boolean> {
  const [a, b] = await Promise.all([file.stat({ bigint: true }), stat(path, { bigint: true }).catch(() => undefined)])
  return b !== undefined && a.ino === b.ino && a.dev === b.dev
}

/** `next()` resolves at the next file event, after POLL_MS, or when `signal` aborts. */
function createWaiter(files: LedgerFiles, signal: AbortSignal): { next(): Promise<void>; close(): void } {
  let wake = () => {}
  const watchers: FSWatcher[] = []
  const places = [files.directory && join(files.directory, 'segments'), files.activeFile && dirname(files.activeFile)]
  for (const place of places) {
    if (place && existsSync(place)) watchers.push(watch(place, () => wake()).on('error', () => {})) // the timer goes on
  }
  const stop = () => wake()
  signal.addEventListener('abort', stop)
  return {
    next: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, POLL_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (signal.aborted) wake()
      }),
    close: () => {
      signal.removeEventListener('abort', stop)
      for (const watcher of watchers) watcher.close()
    },
  }
}
