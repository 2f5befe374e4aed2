/**
 * What answers the queries of a ledger: its index brought up to date, or every line where that cannot be.
 * @module
 */
import type { LedgerFiles, RawLine } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { type IndexDatabase, isDamaged, openIndexDatabase, removeIndex, type Unreadable } from './index/database.ts'
import { type FeedOptions, feedIndex } from './index/feed.ts'
import { listNumbered } from './index/segments.ts'
import { createIndexSource } from './query/index-source.ts'
import { createScan } from './query/scan.ts'
import type { Source } from './query/source.ts'

export interface SourceOptions extends Pick<FeedOptions, 'signal' | 'onProgress' | 'threads'> {
  /** false: read every line. */
  readonly index?: boolean | undefined
  /** What the operator should know: why there is no index, or why it was made anew. */
  readonly onNotice?: ((text: string) => void) | undefined
  /** Told of whole lines that are no entries: of all of the ledger with an index, else of those that were read. */
  readonly onUnreadable?: ((line: Pick<RawLine, 'file' | 'number'>) => void) | undefined
}

export interface OpenSource extends Source {
  readonly kind: 'index' | 'scan'
  close(): void
}

/** Errors of SQLite that mean that this user or this place has no index: not what went wrong with one. */
const NO_PLACE = new Set([5 /* busy */, 8 /* read only */, 10 /* I/O */, 13 /* full */, 14 /* cannot open */])
const NO_ACCESS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC'])
const NO_INDEX = new Set(['NODE_TOO_OLD', 'LINE_MALFORMED', 'INDEX_FAILED'])

/** @throws the file system's errors; the reason that `signal` was aborted with */
export async function openSource(files: LedgerFiles, options: SourceOptions = {}): Promise<OpenSource> {
  const notice = options.onNotice ?? (() => {})
  const scan = (): OpenSource => ({ ...createScan(files, options), kind: 'scan', close: () => {} })
  const { directory } = files
  if (options.index === false || directory === undefined) return scan()
  try {
    const index = await openFed(files, directory, options)
    return { ...createIndexSource(index.db, files, options.signal), kind: 'index', close: () => index.close() }
  } catch (e) {
    const why = whyNone(e)
    if (why === undefined) throw e
    notice(`no index, every line is read: ${why}`)
    return scan()
  }
}

/** Opens and feeds the index; one that turns out to be damaged is made anew, once. */
export async function openFed(files: LedgerFiles, directory: string, options: SourceOptions = {}): Promise<IndexDatabase> {
  try {
    return await openOnce(files, directory, options)
  } catch (e) {
    if (!isDamaged(e)) throw e
    options.onNotice?.('the index is damaged and is made anew')
    removeIndex(directory)
    return await openOnce(files, directory, options)
  }
}

async function openOnce(files: LedgerFiles, directory: string, options: SourceOptions): Promise<IndexDatabase> {
  const index = await openIndexDatabase(directory, (why) => options.onNotice?.(`the index is ${why} and is made anew`))
  try {
    const onRestart = () => options.onNotice?.('the index is not that of this ledger as it is now, and is made anew')
    const behind = await feedIndex(index, files, { ...options, onRestart })
    if (options.onUnreadable) tellUnreadable(index, behind, files, options.onUnreadable)
    return index
  } catch (e) {
    index.close()
    throw e
  }
}

/** Each line by itself, as a reader of all lines tells them. */
function tellUnreadable(
  index: IndexDatabase,
  behind: readonly Unreadable[],
  files: LedgerFiles,
  tell: NonNullable<SourceOptions['onUnreadable']>,
): void {
  let paths: ReadonlyMap<number, string> | undefined
  for (const runs of [index.unreadable(), behind])
    for (const { segment, line, lines } of runs) {
      paths ??= new Map(listNumbered(files).map(({ firstSeq, path }) => [firstSeq, path]))
      const file = paths.get(segment)
      for (let n = 0; file !== undefined && n < lines; n++) tell({ file, number: line + n })
    }
}

function whyNone(e: unknown): string | undefined {
  if (SwornError.is(e)) return NO_INDEX.has(e.code) ? `${e.code} ${e.message}` : undefined
  if (!(e instanceof Error)) return undefined
  if ('errcode' in e && typeof e.errcode === 'number') return NO_PLACE.has(e.errcode & 0xff) ? e.message : undefined
  return 'code' in e && NO_ACCESS.has(String(e.code)) ? String(e.code) : undefined
}
