/**
 * A file system in memory that forgets on power loss what was not synced.
 *
 * Data: the content at the last fsync, plus any subset of the 4 KiB pages written since, plus any file
 * length in between. Names: those at the last sync of their directory, plus any number of the later
 * changes of that directory, in order. `crash(choose)` gives the file system a machine would find.
 * Source: ledger.md §4.2.
 * @module
 */
import { basename, dirname } from 'node:path'
import type { FileOps, FileStat, OpenMode } from '../../../packages/recorder/src/ledger/file-ops.ts'

const PAGE = 4096

interface File {
  readonly ino: number
  content: Buffer
  /** What the disk has. */
  durable: Buffer
  mode: number
  /** Bytes that reading shows and no later sync will write: a sync failed and the kernel dropped them as clean. */
  lost?: { from: number; to: number }
}

/** Name to file. */
type Names = Map<string, File>

interface Directory {
  names: Names
  durable: Names
  /** Changes since the directory was synced, oldest first; each gives the names after it. */
  changes: Names[]
}

/** Decides what survives: a number in [0, count). */
export type Choose = (count: number) => number

export interface PageCache extends FileOps {
  /** What a failed fsync does at worst: the unsynced bytes stay readable and never reach the disk. */
  loseUnsynced(fd: number): void
  /** The file system after a power loss. This one may be used further. */
  crash(choose: Choose): PageCache
  /** The whole content of a file, as a program sees it now. */
  content(path: string): Buffer | undefined
  paths(): string[]
}

/** Nothing unsynced survives; everything does. */
export const KEEP_NOTHING: Choose = () => 0
export const KEEP_ALL: Choose = (count) => count - 1

/** An empty file system; directories are made by `mkdir`. */
export function createPageCache(directories: ReadonlyMap<string, Directory> = new Map([['/', emptyDirectory()]]), firstIno = 1): PageCache {
  const tree = new Map(directories)
  const open = new Map<number, File>()
  let ino = firstIno
  let lastFd = 2

  function fail(code: string, path: string): never {
    throw Object.assign(new Error(`${code}: ${path}`), { code })
  }
  function directoryOf(path: string): Directory {
    return tree.get(dirname(path)) ?? fail('ENOENT', path)
  }
  function find(path: string): File | undefined {
    return tree.get(dirname(path))?.names.get(basename(path))
  }
  function fileOf(fd: number): File {
    return open.get(fd) ?? fail('EBADF', String(fd))
  }
  function change(path: string, step: (names: Names) => void): void {
    const directory = directoryOf(path)
    step(directory.names)
    directory.changes.push(new Map(directory.names))
  }
  function create(path: string): File {
    const file: File = { ino: ino++, content: Buffer.alloc(0), durable: Buffer.alloc(0), mode: 0o600 }
    change(path, (names) => names.set(basename(path), file))
    return file
  }
  function openFile(path: string, mode: OpenMode): File {
    const found = find(path)
    if (mode === 'create') return found ? fail('EEXIST', path) : create(path)
    return found ?? (mode === 'append' ? create(path) : fail('ENOENT', path))
  }
  function statOf(file: File): FileStat {
    return { dev: 1n, ino: BigInt(file.ino), size: file.content.length, directory: false }
  }
  function sync(fd: number): void {
    const file = fileOf(fd)
    file.durable = onDisk(file)
  }

  return {
    open(path, mode) {
      const file = openFile(path, mode)
      lastFd++
      open.set(lastFd, file)
      return lastFd
    },
    close: (fd) => void (open.delete(fd) || fail('EBADF', String(fd))),
    read(fd, target, position) {
      const part = fileOf(fd).content.subarray(position, position + target.length)
      target.set(part)
      return part.length
    },
    write(fd, bytes) {
      const file = fileOf(fd)
      file.content = Buffer.concat([file.content, bytes])
      return bytes.length
    },
    writeAt(fd, bytes, position) {
      const file = fileOf(fd)
      const end = position + bytes.length
      file.content = Buffer.concat([file.content.subarray(0, position), bytes, file.content.subarray(end)])
      if (file.lost && position <= file.lost.from) file.lost = { from: Math.max(end, file.lost.from), to: Math.max(end, file.lost.to) }
      return bytes.length
    },
    fdatasync: sync,
    fsync: sync,
    truncate(fd, size) {
      const file = fileOf(fd)
      file.content = Buffer.from(file.content.subarray(0, size))
      if (file.lost) file.lost = { from: Math.min(size, file.lost.from), to: Math.min(size, file.lost.to) }
    },
    fstat: (fd) => statOf(fileOf(fd)),
    stat(path) {
      const file = find(path)
      if (file) return statOf(file)
      return tree.has(path) ? { dev: 1n, ino: 0n, size: 0, directory: true } : undefined
    },
    rename(from, to) {
      const file = find(from) ?? fail('ENOENT', from)
      if (dirname(from) !== dirname(to)) fail('EXDEV', to)
      change(to, (names) => names.set(basename(to), file) && names.delete(basename(from)))
    },
    link(from, to) {
      const file = find(from) ?? fail('ENOENT', from)
      if (find(to)) fail('EEXIST', to)
      change(to, (names) => names.set(basename(to), file))
    },
    unlink(path) {
      if (!find(path)) fail('ENOENT', path)
      change(path, (names) => names.delete(basename(path)))
    },
    mkdir(path) {
      for (let at = path; !tree.has(at); at = dirname(at)) tree.set(at, emptyDirectory())
    },
    readdir: (path) => [
      ...(tree.get(path)?.names.keys() ?? []),
      ...[...tree.keys()].filter((other) => other !== path && dirname(other) === path).map((other) => basename(other)),
    ],
    chmod(path, mode) {
      const file = find(path) ?? fail('ENOENT', path)
      file.mode = mode
    },
    syncDirectory(path) {
      const directory = tree.get(path) ?? fail('ENOENT', path)
      directory.durable = new Map(directory.names)
      directory.changes = []
    },
    realpath: (path) => path,
    loseUnsynced(fd) {
      const file = fileOf(fd)
      file.lost = { from: Math.min(file.durable.length, file.content.length), to: file.content.length }
    },
    crash: (choose) => createPageCache(survivors(tree, choose), ino),
    content: (path) => find(path)?.content,
    paths: () => [...tree].flatMap(([path, directory]) => [...directory.names.keys()].map((name) => `${path === '/' ? '' : path}/${name}`)),
  }
}

function emptyDirectory(): Directory {
  return { names: new Map(), durable: new Map(), changes: [] }
}

function survivors(tree: ReadonlyMap<string, Directory>, choose: Choose): Map<string, Directory> {
  const files = new Map<File, File>()
  function after(file: File): File {
    const known = files.get(file) ?? survivor(file, choose)
    files.set(file, known)
    return known
  }
  return new Map(
    [...tree].map(([path, directory]) => {
      const kept = [directory.durable, ...directory.changes][choose(directory.changes.length + 1)] ?? directory.durable
      const names: Names = new Map([...kept].map(([name, file]) => [name, after(file)]))
      return [path, { names, durable: new Map(names), changes: [] }]
    }),
  )
}

/** The content as the disk would have it if everything dirty were written. */
function onDisk(file: File): Buffer {
  const bytes = Buffer.from(file.content)
  if (file.lost) bytes.fill(0, file.lost.from, file.lost.to)
  return bytes
}

/** Any unsynced page may be there or not, and the length may be any of old, new or a page border. */
function survivor(file: File, choose: Choose): File {
  const { durable } = file
  const content = onDisk(file)
  const shorter = Math.min(content.length, durable.length)
  if (content.length < durable.length && choose(2) === 0) return { ino: file.ino, mode: file.mode, content: durable, durable }
  const added = Math.ceil((content.length - shorter) / PAGE)
  const pages = choose(added + 1)
  const length = pages === added ? content.length : Math.min(content.length, shorter + pages * PAGE)
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at += PAGE - (at % PAGE)) {
    const end = Math.min(length, at + PAGE - (at % PAGE))
    const isSynced = end <= shorter && content.subarray(at, end).equals(durable.subarray(at, end))
    if (isSynced || choose(2) === 1) content.copy(bytes, at, at, end)
    else if (at < durable.length) durable.copy(bytes, at, at, Math.min(end, durable.length)) // behind it: zeros
  }
  return { ino: file.ino, mode: file.mode, content: bytes, durable: Buffer.from(bytes) }
}
