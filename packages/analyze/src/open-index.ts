/**
 * The index of a ledger, opened and brought up to date.
 * @module
 */
import type { LedgerFiles, RawLine } from '@sworn/recorder/segments'
import { type IndexDatabase, isDamaged, openIndexDatabase, removeIndex, type Unreadable } from './index/database.ts'
import { type FeedOptions, feedIndex } from './index/feed.ts'
import { listNumbered } from './index/segments.ts'
import { createIndexSource } from './query/index-source.ts'
import type { Source } from './query/source.ts'

export interface SourceOptions extends Pick<FeedOptions, 'signal' | 'onProgress' | 'threads'> {
  /** false: read every line. */
  readonly index?: boolean | undefined
  /** What the operator should know: why there is no index, or why it was made anew. */
  readonly onNotice?: ((text: string) => void) | undefined
  /** Told of whole lines that are no entries: of all of the ledger with an index, else of those that were read. */
  readonly onUnreadable?: ((line: Pick<RawLine, 'file' | 'number'>) => void) | undefined
}

/** The index as what answers. @throws as `openFed` */
export async function openIndexSource(
  files: LedgerFiles,
  directory: string,
  options: SourceOptions,
): Promise<Source & { readonly close: () => void }> {
  const index = await openFed(files, directory, options)
  return { ...createIndexSource(index.db, files, options.signal), close: () => index.close() }
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
