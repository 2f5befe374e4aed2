/**
 * What answers the queries of a ledger: its index brought up to date, or every line where that cannot be.
 * @module
 */
import type { LedgerFiles } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import type { SourceOptions } from './open-index.ts'
import { createScan } from './query/scan.ts'
import type { Source } from './query/source.ts'

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
    const { openIndexSource } = await import('./open-index.ts') // and with it what writes its statements
    return { ...(await openIndexSource(files, directory, options)), kind: 'index' }
  } catch (e) {
    const why = whyNone(e)
    if (why === undefined) throw e
    notice(`no index, every line is read: ${why}`)
    return scan()
  }
}

function whyNone(e: unknown): string | undefined {
  if (SwornError.is(e)) return NO_INDEX.has(e.code) ? `${e.code} ${e.message}` : undefined
  if (!(e instanceof Error)) return undefined
  if ('errcode' in e && typeof e.errcode === 'number') return NO_PLACE.has(e.errcode & 0xff) ? e.message : undefined
  return 'code' in e && NO_ACCESS.has(String(e.code)) ? String(e.code) : undefined
}
