/**
 * Whole small files over FileOps: read, replace, extend.
 *
 * Promise: `replaceFile` leaves the old or the new content after a crash, never a mixture;
 * with `durable` the new one survives power loss once it returns.
 * @module
 */
import { dirname } from 'node:path'
import type { FileOps } from './file-ops.ts'

const COPY_BYTES = 1 << 20

/** The whole file, or `undefined` when it is absent. For files of bounded size only. */
export function readFile(ops: FileOps, path: string): Buffer | undefined {
  if (ops.stat(path) === undefined) return undefined
  const fd = ops.open(path, 'read')
  try {
    return readRange(ops, fd, 0, ops.fstat(fd).size)
  } finally {
    ops.close(fd)
  }
}

/** Bytes [from, to) of an open file; shorter when the file ends before. */
export function readRange(ops: FileOps, fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from))
  let filled = 0
  while (filled < bytes.length) {
    const count = ops.read(fd, bytes.subarray(filled), from + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

/** Bytes [from, to) of the file at `path`. */
export function readSlice(ops: FileOps, path: string, from: number, to: number): Buffer {
  const fd = ops.open(path, 'read')
  try {
    return readRange(ops, fd, from, to)
  } finally {
    ops.close(fd)
  }
}

/** Writes all bytes, going on after short writes. */
export function writeAll(ops: FileOps, fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const count = ops.write(fd, bytes.subarray(done))
    if (count <= 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' })
    done += count
  }
}

/** Puts `bytes` at `path` through a temporary file beside it. */
export function replaceFile(ops: FileOps, path: string, bytes: Uint8Array, options: { durable: boolean }): void {
  const temporary = `${path}.tmp`
  writeNew(ops, temporary, bytes, options)
  ops.rename(temporary, path)
  if (options.durable) ops.syncDirectory(dirname(path))
}

/** The same, durable, in two steps of one wait for the disk each; dropped in between it leaves the old content. */
export function* replacing(ops: FileOps, path: string, bytes: Uint8Array): Generator<void> {
  const temporary = `${path}.tmp`
  writeNew(ops, temporary, bytes, { durable: true })
  yield
  ops.rename(temporary, path)
  ops.syncDirectory(dirname(path))
}

/** A file of these bytes, in place of whatever a crash left under that name. */
export function writeNew(ops: FileOps, path: string, bytes: Uint8Array, options: { durable: boolean }): void {
  if (ops.stat(path)) ops.unlink(path)
  const fd = ops.open(path, 'create')
  try {
    writeAll(ops, fd, bytes)
    if (options.durable) ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
}

/** Puts the first `size` bytes of an open file at `path`, durably, in constant memory. */
export function replaceFrom(ops: FileOps, path: string, source: number, size: number): void {
  const temporary = `${path}.tmp`
  if (ops.stat(temporary)) ops.unlink(temporary)
  const fd = ops.open(temporary, 'create')
  try {
    for (let at = 0; at < size; at += COPY_BYTES) writeAll(ops, fd, readRange(ops, source, at, Math.min(size, at + COPY_BYTES)))
    ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
  ops.rename(temporary, path)
  ops.syncDirectory(dirname(path))
}

/** True when the first `size` bytes of an open file are all that is at `path`. */
export function holdsSame(ops: FileOps, path: string, source: number, size: number): boolean {
  const fd = ops.open(path, 'read')
  try {
    if (ops.fstat(fd).size !== size) return false
    for (let at = 0; at < size; at += COPY_BYTES) {
      const [here, there] = [source, fd].map((one) => readRange(ops, one, at, Math.min(size, at + COPY_BYTES)))
      if (!here!.equals(there!)) return false
    }
    return true
  } finally {
    ops.close(fd)
  }
}

/** Appends to a file, made when absent. */
export function appendFile(ops: FileOps, path: string, bytes: Uint8Array, options: { durable: boolean }): void {
  const isNew = ops.stat(path) === undefined
  const fd = ops.open(path, 'append')
  try {
    writeAll(ops, fd, bytes)
    if (options.durable) ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
  if (options.durable && isNew) ops.syncDirectory(dirname(path))
}

/** Cuts the file to `size` bytes and syncs it. */
export function truncateFile(ops: FileOps, path: string, size: number): void {
  const fd = ops.open(path, 'update')
  try {
    ops.truncate(fd, size)
    ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
}

/**
 * Writes bytes [from, to) again where they stand, and syncs them.
 *
 * After a failed fsync the page cache may hold as clean what the disk never took; written again they are
 * dirty. A crash in between leaves what was there before.
 */
export function rewriteInPlace(ops: FileOps, path: string, from: number, to: number): void {
  const fd = ops.open(path, 'update')
  try {
    for (let at = from; at < to; ) {
      const bytes = readRange(ops, fd, at, Math.min(to, at + COPY_BYTES))
      if (bytes.length === 0) break
      at += ops.writeAt(fd, bytes, at)
    }
    ops.fdatasync(fd)
  } finally {
    ops.close(fd)
  }
}

/** Makes a directory whose name survives power loss, parents included. */
export function makeDirectory(ops: FileOps, path: string): void {
  makeDirectories(ops, [path])
}

/** The same for several, parents before children, with one wait for the disk for all that stand in one directory. */
export function makeDirectories(ops: FileOps, paths: readonly string[]): void {
  const changed = new Set<string>()
  for (const path of paths) makeMissing(ops, path, changed)
  for (const directory of changed) ops.syncDirectory(directory)
}

function makeMissing(ops: FileOps, path: string, changed: Set<string>): void {
  if (ops.stat(path)) return
  const parent = dirname(path)
  if (parent !== path) makeMissing(ops, parent, changed)
  ops.mkdir(path)
  changed.add(parent)
}
