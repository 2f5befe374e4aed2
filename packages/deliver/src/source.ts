/**
 * The lines of a ledger from a position on, while it is written, rotated, compressed and pruned.
 *
 * Promise: a line is on disk when it is handed out, or after `sync` where that was asked for, because what was shipped and
 * then lost in a power cut would contradict the ledger: the writer may be some milliseconds behind with this, and whoever
 * asks first makes it durable for both. And each line once, in order. What was pruned before it was read shows as a step in
 * the seqs. Where only closed segments are asked for, it ends before the one that is written. Nothing is verified here:
 * that is `sworn verify`.
 * @module
 */
import { type LedgerFiles, listSegments } from '@sworn/recorder/segments'
import { listNumbered, type Numbered, parseEntryLine } from './numbered.ts'
import { openReading, type Reading } from './reading.ts'

export interface Line {
  readonly seq: number
  /** 64 lowercase hex characters. */
  readonly entryHash: string
  /** Without LF; the caller's own. */
  readonly bytes: Buffer
}

export interface Source {
  /** seq of the line that comes next. */
  readonly next: number
  /** More was there already when it was read last. */
  readonly isBehind: boolean
  /**
   * The lines that are there now, at most about 1 MiB of them; none at the end and after `close`. They are on disk; with
   * `later`, after `sync`. @throws SwornError LINE_MALFORMED; the file system's errors
   */
  read(sync?: 'later'): Promise<readonly Line[]>
  /** Resolves when all that was read is on disk. @throws the file system's errors: it may be lost in a power cut */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Begins at entry `from`; a first line, or one after another, with a higher seq than expected means that those between are gone. */
export function openSource(files: LedgerFiles, from: number, segments: 'all' | 'closed' = 'all'): Source {
  let next = from
  let reading: Reading | undefined
  let closed = false

  async function move(): Promise<boolean> {
    const found = await findSegment(files, next, { current: reading, segments })
    if (!found) return false
    await reading?.sync()
    await reading?.close()
    reading = await openReading(files, found, next)
    if (closed) await reading.close()
    return !closed
  }

  function take(bytes: Buffer): Line | undefined {
    const { seq, entryHash } = parseEntryLine(bytes, files.path)
    if (seq < next) return undefined
    next = seq + 1
    return { seq, entryHash, bytes }
  }

  return {
    get next() {
      return next
    },
    get isBehind() {
      return reading?.isBehind ?? false
    },
    async read(sync) {
      while (!closed) {
        const ended = reading === undefined || (await hasSuccessor(files, reading, next)) // asked before the read, so that the read reaches the true end
        const lines = await reading?.read()
        if (lines === undefined) {
          if (!ended || !(await move())) return []
          continue
        }
        const fresh = lines.flatMap((bytes) => take(bytes) ?? [])
        if (fresh.length === 0) continue
        if (sync !== 'later') await reading?.sync()
        return fresh
      }
      return []
    },
    sync: async () => await reading?.sync(),
    async close() {
      closed = true
      await reading?.close()
      reading = undefined
    },
  }
}

/** The writer has left the file at hand. */
async function hasSuccessor(files: LedgerFiles, reading: Reading, next: number): Promise<boolean> {
  if (files.activeFile) return !(await reading.isSame(files.activeFile))
  return listSegments(files).some(({ firstSeq }) => firstSeq !== undefined && firstSeq >= next)
}

/**
 * The file with entry `next`, other than the one at hand, which was read to its end. Where none has it, the first
 * behind it: pruned, or missing.
 */
async function findSegment(
  files: LedgerFiles,
  next: number,
  { current, segments }: { current: Reading | undefined; segments: 'all' | 'closed' },
): Promise<Numbered | undefined> {
  const all = await listNumbered(files)
  const readable = segments === 'all' ? all : all.slice(0, -1)
  const best = readable.findLast(({ firstSeq }) => firstSeq <= next)
  if (best && !(await current?.isSame(best.path))) return best
  return readable.find(({ firstSeq }) => firstSeq > next)
}
