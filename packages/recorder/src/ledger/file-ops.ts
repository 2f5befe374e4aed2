/**
 * All that the ledger asks of a file system, as an interface, and Node's.
 *
 * Promise: every byte and every name of a ledger passes through these functions, so a test can cut
 * the power between any two of them (testkit/src/fault). Source: docs/format.md, "Commit protocol".
 * @module
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'

export interface FileStat {
  readonly dev: bigint
  readonly ino: bigint
  /** Bytes. */
  readonly size: number
  readonly directory: boolean
  /** Permission bits; undefined where files have none. */
  readonly mode?: number
}

/** `append`: O_APPEND, made when absent. `create`: must not exist. `update`: to cut or rewrite, must exist. */
export type OpenMode = 'read' | 'append' | 'create' | 'update'

export interface FileOps {
  /** New files have mode 0600. @throws Error with `code` as Node's, like every function here */
  open(path: string, mode: OpenMode): number
  close(fd: number): void
  /** Bytes read from `position`; 0 at the end. */
  read(fd: number, target: Uint8Array, position: number): number
  /** Bytes written, possibly fewer than given. */
  write(fd: number, bytes: Uint8Array): number
  /** The same at a byte position, for files opened with `update`. */
  writeAt(fd: number, bytes: Uint8Array, position: number): number
  fdatasync(fd: number): void
  /**
   * The same beside the caller; `done` runs once, with the error if there was one. Only where each descriptor is told
   * of every error that came after it was opened, whoever else was told.
   */
  fdatasyncAside?(fd: number, done: (error: Error | null) => void): void
  fsync(fd: number): void
  truncate(fd: number, size: number): void
  fstat(fd: number): FileStat
  /** `undefined` when nothing is there. */
  stat(path: string): FileStat | undefined
  rename(from: string, to: string): void
  link(from: string, to: string): void
  unlink(path: string): void
  /** With parents, mode 0700; nothing when it exists. */
  mkdir(path: string): void
  /** Names, in no order; empty when the directory is absent. */
  readdir(path: string): readonly string[]
  chmod(path: string, mode: number): void
  /** Makes the names in the directory survive power loss; nothing where the platform cannot. */
  syncDirectory(path: string): void
  realpath(path: string): string
}

const FLAGS: Record<OpenMode, number> = {
  read: constants.O_RDONLY | constants.O_NONBLOCK, // a pipe in the place of a file holds nobody up
  append: constants.O_RDWR | constants.O_CREAT | constants.O_APPEND,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
  update: constants.O_RDWR,
}

/** Node's file system. */
export const nodeFileOps: FileOps = {
  open: openFile,
  close: closeSync,
  read: (fd, target, position) => readSync(fd, target, 0, target.length, position),
  write: (fd, bytes) => writeSync(fd, bytes, 0, bytes.length),
  writeAt: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
  fdatasync: fdatasyncSync,
  ...(process.platform === 'linux' && { fdatasyncAside: fdatasync }), // errseq_t, Linux 4.13
  fsync: fsyncSync,
  truncate: ftruncateSync,
  fstat: (fd) => toStat(fstatSync(fd, { bigint: true })),
  stat(path) {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    return found && toStat(found)
  },
  rename: renameSync,
  link: linkSync,
  unlink: unlinkSync,
  mkdir(path) {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700) // whatever the umask left
  },
  readdir(path) {
    try {
      return readdirSync(path)
    } catch (e) {
      if (errorCode(e) === 'ENOENT') return []
      throw e
    }
  },
  chmod: chmodSync,
  syncDirectory,
  realpath: (path) => realpathSync(path),
}

/** A new file has mode 0600 under any umask; one that exists keeps what its owner gave it. */
function openFile(path: string, mode: OpenMode): number {
  if (mode !== 'append') return exact(openSync(path, FLAGS[mode], 0o600), mode === 'create')
  try {
    return openSync(path, FLAGS.append & ~constants.O_CREAT)
  } catch (e) {
    if (errorCode(e) !== 'ENOENT') throw e
    return exact(openSync(path, FLAGS.append, 0o600), true)
  }
}

function exact(fd: number, isNew: boolean): number {
  if (isNew) fchmodSync(fd, 0o600)
  return fd
}

function toStat(found: { dev: bigint; ino: bigint; size: bigint; mode: bigint; isDirectory(): boolean }): FileStat {
  const stat = { dev: found.dev, ino: found.ino, size: Number(found.size), directory: found.isDirectory() }
  return process.platform === 'win32' ? stat : { ...stat, mode: Number(found.mode & 0o777n) }
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return // Windows cannot fsync directories
  const fd = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** The `code` of a Node error; empty when there is none. */
export function errorCode(e: unknown): string {
  return e instanceof Error && 'code' in e ? String(e.code) : ''
}
