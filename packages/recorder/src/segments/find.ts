/**
 * Which files hold the lines of a ledger, in order.
 *
 * A directory holds `segments/<first seq>.jsonl[.gz|.zst]`. A file is the active segment; its closed ones
 * stand in `<file>.ledger/segments` (docs/format.md, directory), those that logrotate made beside it until they are
 * adopted. A lone file is a ledger of one segment.
 * @module
 */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { SwornError } from '@sworn/verify'
import { findSiblings, type NumberedFile } from './siblings.ts'

export interface SegmentFile {
  readonly path: string
  /** Undefined: the active file of file mode, whose first line tells. */
  readonly firstSeq: number | undefined
}

export interface LedgerFiles {
  readonly kind: 'directory' | 'file'
  /** As given, absolute. */
  readonly path: string
  /** Where checkpoint, tree and segments stand; absent for a lone file. */
  readonly directory: string | undefined
  /** The stable name of file mode. */
  readonly activeFile: string | undefined
}

const SEGMENT = /^(\d{20})\.jsonl(\.gz|\.zst)?$/

/**
 * Finds the ledger at `path`; reads nothing of it.
 * @throws SwornError LEDGER_NOT_FOUND when nothing is there or an empty directory, LEDGER_FOREIGN_FILE when another is
 */
export function findLedger(path: string, cwd: string): LedgerFiles {
  const absolute = resolve(cwd, path)
  const stat = statSync(absolute, { throwIfNoEntry: false })
  if (!stat && !existsSync(`${absolute}.ledger`)) throw new SwornError('LEDGER_NOT_FOUND', 'nothing is there', path)
  if (stat?.isDirectory()) {
    checkSegments(absolute, path)
    return { kind: 'directory', path: absolute, directory: absolute, activeFile: undefined }
  }
  const beside = `${stat ? realpathSync(absolute) : absolute}.ledger` // as the writer does: a link is followed
  return { kind: 'file', path: absolute, directory: existsSync(beside) ? beside : undefined, activeFile: absolute }
}

function checkSegments(directory: string, path: string): void {
  if (existsSync(join(directory, 'segments'))) return
  if (readdirSync(directory).length === 0) throw new SwornError('LEDGER_NOT_FOUND', 'the directory is empty', path)
  throw new SwornError('LEDGER_FOREIGN_FILE', 'a directory with segments was expected', path)
}

/** The ledger's files now, oldest first; two names of one inode are one segment. */
export function listSegments(files: LedgerFiles): SegmentFile[] {
  const closed = listClosed(files)
  if (!files.activeFile) return closed
  const listed = [...closed, ...listOpen(files.activeFile, files.directory, closed)]
  // Rotated meanwhile, the active file that was looked at is not the one behind these.
  return listClosed(files).at(-1)?.firstSeq === closed.at(-1)?.firstSeq ? listed : listSegments(files)
}

function listClosed({ directory }: LedgerFiles): NumberedFile[] {
  return directory === undefined ? [] : listDirectory(join(directory, 'segments'))
}

/** The active file, behind those that something else rotated away. */
function listOpen(activeFile: string, directory: string | undefined, closed: readonly NumberedFile[]): SegmentFile[] {
  const active = statSync(activeFile, { throwIfNoEntry: false, bigint: true })
  const last = closed.at(-1)
  const lastStat = last && statSync(last.path, { throwIfNoEntry: false, bigint: true })
  if (lastStat && active && lastStat.ino === active.ino && lastStat.dev === active.dev) return []
  const rotated = directory === undefined ? [] : findSiblings(activeFile, closed, active && activeFile)
  return [...rotated, ...(active ? [{ path: activeFile, firstSeq: undefined }] : [])]
}

/**
 * Where the lines of one of the files that were listed are now: it may have been packed since, the active one closed.
 *
 * @param listed of `listSegments`. @param i which of them
 * @throws SwornError IO_FAILED when it was dropped since: what is read would have a hole
 */
export function findAgain(files: LedgerFiles, listed: readonly SegmentFile[], i: number): string {
  const { path, firstSeq } = listed[i]!
  if (firstSeq !== undefined && existsSync(path)) return path
  const before = listed[i - 1]?.firstSeq ?? -1
  const now = listSegments(files).find((one) =>
    firstSeq === undefined ? (one.firstSeq ?? Number.POSITIVE_INFINITY) > before : one.firstSeq === firstSeq,
  )
  if (now) return now.path
  throw new SwornError('IO_FAILED', 'a file of the ledger was dropped while the ledger was read; ask again', path)
}

function listDirectory(directory: string): NumberedFile[] {
  if (!existsSync(directory)) return []
  const found = readdirSync(directory).flatMap((name) => {
    const match = SEGMENT.exec(basename(name))
    return match ? [{ path: join(directory, name), firstSeq: Number(match[1]) }] : []
  })
  const inOrder = found.toSorted((a, b) => a.firstSeq - b.firstSeq || a.path.length - b.path.length)
  return inOrder.filter((segment, i) => segment.firstSeq !== inOrder[i - 1]?.firstSeq) // half compressed: the plain one counts
}
