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
  const closed = files.directory ? listDirectory(join(files.directory, 'segments')) : []
  if (!files.activeFile) return closed
  const active = statSync(files.activeFile, { throwIfNoEntry: false, bigint: true })
  const last = closed.at(-1)
  const lastStat = last && statSync(last.path, { bigint: true })
  if (lastStat && active && lastStat.ino === active.ino && lastStat.dev === active.dev) return closed
  const rotated = files.directory ? findSiblings(files.activeFile, closed, active && files.activeFile) : []
  return [...closed, ...rotated, ...(active ? [{ path: files.activeFile, firstSeq: undefined }] : [])]
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
