/**
 * Brings the index up to the end of the ledger, from where it was left.
 *
 * What the cursor says is checked first: the entry read last stands where it was read, with its hash, and so do all
 * before it, because the chain leads there. Otherwise the ledger is another one, or lost entries in a crash, and is
 * read anew. What was pruned is forgotten. Lines that are no entries are passed over, and their places kept; those behind
 * the last entry are not before the cursor, and are looked at again. May run in several processes at once.
 * @module
 */
import { statSync } from 'node:fs'
import { isCompressed, type LedgerFiles } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { parseEntry } from '../reading/entry.ts'
import type { Batch, Lines } from './batch.ts'
import { type Batcher, createBatcher } from './batches.ts'
import type { Cursor, IndexDatabase, Unreadable } from './database.ts'
import { listNumbered, readWholeLines, type Segment } from './segments.ts'

/** From here on a thread reads ahead. */
const THREAD_FROM_BYTES = 16 << 20
/** Entries of one transaction, about. */
const TOGETHER_ENTRIES = 8192
/** Looks at a ledger that changes under our hands. */
const MAX_LOOKS = 20

export interface FeedOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes on disk that were read, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Told when what was indexed is not this ledger, or no longer. */
  readonly onRestart?: (() => void) | undefined
  /** 2: others work ahead. Default: where it is worth a thread. */
  readonly threads?: 1 | 2 | undefined
}

/** The same segment, from where on. */
interface Task extends Segment {
  readonly from: number
  readonly isActive: boolean
}

/**
 * Reads what is not in the index yet.
 *
 * @returns the lines behind the last entry that are none; those before it stand in the index
 * @throws SwornError LINE_MALFORMED where an entry goes back: such a ledger is not indexed; INDEX_FAILED;
 *   the file system's errors; the reason that `signal` was aborted with
 */
export async function feedIndex(index: IndexDatabase, files: LedgerFiles, options: FeedOptions = {}): Promise<readonly Unreadable[]> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const segments = listNumbered(files)
    const from = index.cursor()
    const tasks = await planTasks(index, files, segments, from)
    if (tasks === undefined) {
      options.onRestart?.()
      index.reset()
    } else {
      dropPruned(index, segments)
      const behind = await feedTasks(index, tasks, index.cursor(), options)
      if (behind) return behind
    }
  }
  throw new SwornError('INDEX_FAILED', 'the ledger or its index changed at every look')
}

/** Undefined: the index is not that of these segments. */
async function planTasks(
  index: IndexDatabase,
  files: LedgerFiles,
  segments: readonly Segment[],
  cursor: Cursor,
): Promise<Task[] | undefined> {
  const task = (segment: Segment, from: number): Task => ({ ...segment, from, isActive: segment.path === files.activeFile })
  if (cursor.segment < 0) return segments.map((segment) => task(segment, 0))
  const at = segments.findIndex(({ firstSeq }) => firstSeq === cursor.segment)
  if (at >= 0) {
    if (!(await isLast(index, segments[at]!, cursor))) return undefined
    return segments.slice(at).map((segment, i) => task(segment, i === 0 ? cursor.offset : 0))
  }
  const next = segments.filter(({ firstSeq }) => firstSeq >= cursor.nextSeq)
  const isPruned = next[0] !== undefined && next.length === segments.length
  return isPruned && (await follows(next[0]!, cursor)) ? next.map((segment) => task(segment, 0)) : undefined
}

/** The entry read last stands where it was read. */
async function isLast(index: IndexDatabase, segment: Segment, { nextSeq, head }: Cursor): Promise<boolean> {
  const last = index.db.prepare('SELECT seq, offset FROM entry WHERE seq = ?').get(nextSeq - 1)
  const entry = last && (await entryAt(segment, Number(last.offset)))
  return entry !== undefined && entry.seq === nextSeq - 1 && (head === '' || entry.entry_hash === head)
}

async function follows(segment: Segment, { nextSeq, head }: Cursor): Promise<boolean> {
  return segment.firstSeq > nextSeq || head === '' || (await entryAt(segment, 0))?.previous_hash === head
}

async function entryAt(segment: Segment, offset: number): ReturnType<typeof entryOf> {
  for await (const lines of readWholeLines(segment, offset, false)) return entryOf(lines)
  return undefined
}

async function entryOf({ bytes }: Lines) {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return parseEntry({ bytes: lines.subarray(0, lines.indexOf(10)) })
}

function dropPruned(index: IndexDatabase, segments: readonly Segment[]): void {
  const first = segments[0]?.firstSeq
  const { least } = index.db.prepare('SELECT min(seq) AS least FROM entry').get() ?? {}
  if (first !== undefined && typeof least === 'number' && least < first) index.dropBelow(first)
}

/** Undefined: something moved, look again. */
async function feedTasks(
  index: IndexDatabase,
  tasks: readonly Task[],
  from: Cursor,
  options: FeedOptions,
): Promise<readonly Unreadable[] | undefined> {
  const sizes = tasks.map(({ path }) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
  const total = sizes.reduce((sum, size, i) => sum + size - (isCompressed(tasks[i]!.path) ? 0 : tasks[i]!.from), 0)
  const group = createGroup(index, from)
  const batcher = createBatcher(options.threads ?? (total > THREAD_FROM_BYTES ? 2 : 1))
  let done = 0
  try {
    for (const [i, task] of tasks.entries()) {
      const onProgress = (bytes: number): void => options.onProgress?.(done + bytes, total)
      if (!(await feedTask(index, task, group, batcher, { ...options, onProgress }))) return undefined
      done += sizes[i]!
    }
  } finally {
    await batcher.close()
  }
  return group.behind()
}

/** False: something moved. */
async function feedTask(
  index: IndexDatabase,
  task: Task,
  group: Group,
  { batches, spare }: Batcher,
  { signal, onProgress }: { readonly signal?: AbortSignal | undefined; onProgress(bytes: number): void },
): Promise<boolean> {
  const toPlaces = createPlaces(index, task)
  for await (const batch of batches(readWholeLines(task, task.from, task.isActive, spare))) {
    signal?.throwIfAborted()
    group.add(batch, toPlaces(batch), task)
    if (group.entries >= TOGETHER_ENTRIES && !group.write()) return false
    onProgress((batch.last?.end ?? task.from) - task.from)
  }
  return group.entries === 0 || group.write()
}

interface Group {
  /** Of the batches that are not written yet. */
  readonly entries: number
  /** @throws SwornError LINE_MALFORMED when the ledger goes back */
  add(batch: Batch, unreadable: readonly Unreadable[], task: Task): void
  /** Puts them into the index; false: somebody else has moved its cursor. */
  write(): boolean
  /** Unreadable lines behind the last entry. */
  behind(): readonly Unreadable[]
}

/** Batches of one segment that go into the index together, because a transaction costs as much as a batch. */
function createGroup(index: IndexDatabase, from: Cursor): Group {
  let written = from
  let cursor = from
  let batches: Batch[] = []
  let passed: Unreadable[] = []
  let entries = 0
  const isBehind = ({ segment, offset }: Unreadable): boolean =>
    segment > cursor.segment || (segment === cursor.segment && offset >= cursor.offset)
  return {
    get entries() {
      return entries
    },
    add(batch, unreadable, task) {
      for (const place of unreadable) passed.push(place) // as many as a piece has lines: too many for arguments
      if (!batch.last) return
      checkGoesOn(batch, cursor, task)
      const { end, nextSeq, head } = batch.last
      cursor = { ...cursor, segment: task.firstSeq, offset: end, nextSeq, head }
      batches.push(batch)
      entries += batch.rows.seq.length
    },
    write() {
      const before = passed.filter((place) => !isBehind(place))
      if (!index.advance(written, cursor, batches, before)) return false
      passed = passed.filter(isBehind)
      written = cursor
      batches = []
      entries = 0
      return true
    },
    behind: () => passed,
  }
}

/** Where the unreadable lines of a segment's batches stand, as they come; lines are counted from where they count. */
function createPlaces(index: IndexDatabase, { firstSeq, from }: Task): (batch: Batch) => Unreadable[] {
  let read = 0
  let base: number | undefined
  return ({ unreadable, lines }) => {
    const first = read + 1
    read += lines
    if (unreadable.length === 0) return []
    base ??= from === 0 ? 0 : index.linesBefore(firstSeq, from)
    return unreadable.map((run) => ({ segment: firstSeq, offset: run.offset, line: base! + first + run.before, lines: run.lines }))
  }
}

/** @throws SwornError LINE_MALFORMED when the ledger goes back, or a segment begins before the entry of its name */
function checkGoesOn({ rows }: Batch, { segment, nextSeq }: Cursor, { firstSeq }: Task): void {
  const first = rows.seq[0] ?? 0
  const holds = first >= nextSeq && first >= firstSeq && (segment === firstSeq || firstSeq >= nextSeq)
  if (!holds) throw new SwornError('LINE_MALFORMED', 'an entry that goes on was expected', `seq=${first}`)
}
