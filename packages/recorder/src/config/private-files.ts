/**
 * Files with a secret: read only when nobody else can, made so that nobody ever sees half of one.
 *
 * A new file is written under a name of its own, flushed, and linked to its place: of several processes that make the
 * same file one wins. After a crash a draft without a name that counts may be left; it is never read.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ErrorCode, SwornError } from '@sworn/verify'
import { nodeFileOps } from '../ledger/file-ops.ts'

const MAX_BYTES = 1 << 20

export interface PrivateFileUse {
  /** What a file that others can read is refused with. */
  readonly code: Extract<ErrorCode, 'CONFIG_INVALID' | 'KEY_INVALID'>
  /** For messages; default: the path. */
  readonly at?: string
}

/**
 * The text of a file that only its owner can reach; undefined when there is none. On Windows the mode says nothing and
 * is not looked at.
 *
 * @throws SwornError `code` when others can reach it, or beyond 1 MiB; IO_FAILED
 */
export function readPrivateFile(path: string, { code, at = path }: PrivateFileUse): string | undefined {
  return attempt(at, () => {
    const file = openIfThere(path)
    if (file === undefined) return undefined
    try {
      const { mode, size } = fstatSync(file)
      if (process.platform !== 'win32' && (mode & 0o077) !== 0)
        throw new SwornError(code, 'a file that only its owner can read (0600) was expected', at)
      if (size > MAX_BYTES) throw new SwornError(code, `a file of at most ${MAX_BYTES} bytes was expected`, at)
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  })
}

/**
 * Makes `path` with mode 0600 and its folder with 0700, on disk when this returns. A file that is there already stays
 * as it is: read it to learn whose counts.
 *
 * @throws SwornError IO_FAILED
 */
export function createPrivateFile(path: string, text: string): void {
  attempt(path, () => {
    const folder = dirname(path)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const draft = join(folder, `${randomUUID()}.new`)
    try {
      writeWhole(draft, text)
      linkSync(draft, path)
    } catch (e) {
      if (codeOf(e) !== 'EEXIST') throw e // another process was first: its file counts
    } finally {
      rmSync(draft, { force: true })
    }
  })
}

/**
 * Puts `text` in the place of what is at `path`, mode 0600, on disk when this returns; after a crash it is the old or the new.
 *
 * @throws SwornError IO_FAILED
 */
export function replacePrivateFile(path: string, text: string): void {
  attempt(path, () => {
    const draft = `${path}.${randomUUID()}.new`
    try {
      writeWhole(draft, text)
      renameSync(draft, path)
    } finally {
      rmSync(draft, { force: true })
    }
    nodeFileOps.syncDirectory(dirname(path))
  })
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (e) {
    if (codeOf(e) === 'ENOENT') return undefined
    throw e
  }
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const codeOf = (e: unknown) => (e as NodeJS.ErrnoException).code // what node's own calls throw

/** A place that cannot be used is a state of the machine, and said as such. */
function attempt<T>(at: string, act: () => T): T {
  try {
    return act()
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('IO_FAILED', 'the file cannot be used', at, { cause: e })
  }
}
