/**
 * The files of one sink's delivery: private, whole or absent, on disk before anybody relies on them.
 * @module
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SwornError } from '@sworn/verify'

/**
 * Replaces `path`: after a crash it is the old text or the new one. Mode 0600.
 * @param draft of this process alone, where several may write
 * @throws SwornError IO_FAILED
 */
export function replaceFile(path: string, text: string, draft = `${path}.new`): void {
  attempt(path, () => {
    write(draft, text)
    renameSync(draft, path)
    syncDirectory(dirname(path))
  })
}

/** As `replaceFile`; the thread goes on meanwhile. @throws SwornError IO_FAILED */
export function replaceFileAside(path: string, text: string): Promise<void> {
  return attemptAside(path, async () => {
    const draft = `${path}.new`
    const file = await open(draft, 'w', 0o600)
    await writeAside(file, text)
    await rename(draft, path)
    await syncDirectoryAside(dirname(path))
  })
}

/** Appends whole lines and syncs; a line that a crash cut off is ended first. Mode 0600. @throws SwornError IO_FAILED */
export function appendFile(path: string, text: string): Promise<void> {
  return attemptAside(path, async () => {
    const file = await open(path, 'a+', 0o600)
    const { size } = await file.stat()
    const last = Buffer.alloc(1)
    if (size > 0) await file.read(last, 0, 1, size - 1)
    await writeAside(file, size === 0 || last[0] === 10 ? text : `\n${text}`)
    if (size === 0) await syncDirectoryAside(dirname(path))
  })
}

/** Writes all of it, syncs and closes. */
async function writeAside(file: FileHandle, text: string): Promise<void> {
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDirectoryAside(path: string): Promise<void> {
  if (process.platform === 'win32') return // directories cannot be synced there
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function write(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** The text of `path`; undefined when it does not exist. @throws SwornError IO_FAILED */
export function readFile(path: string): string | undefined {
  return attempt(path, () => (existsSync(path) ? readFileSync(path, 'utf8') : undefined))
}

/** Bytes; 0 when it does not exist. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** @throws SwornError IO_FAILED */
export function makeDirectory(path: string): void {
  attempt(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    syncDirectory(dirname(path))
  })
}

export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return // directories cannot be synced there
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Runs `act`; what the file system says becomes our error. @throws SwornError IO_FAILED */
export function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw failed(path, cause)
  }
}

async function attemptAside(path: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (cause) {
    throw failed(path, cause)
  }
}

function failed(path: string, cause: unknown): SwornError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it failed'
  return new SwornError('IO_FAILED', `the file cannot be used (${code})`, path, { cause })
}
