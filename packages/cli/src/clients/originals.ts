/**
 * What a client's file was before we changed it: byte for byte, or that there was none, with the hash of what it became.
 *
 * Saved in the state directory before the file is touched, so a crash between the two loses nothing.
 * @module
 */
import { isUtf8 } from 'node:buffer'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { z } from 'zod'

const schema = z.strictObject({ path: z.string(), original: z.base64(), wrapped_sha256: z.string(), absent: z.literal(true).optional() })

export interface Original {
  /** undefined: there was no such file. */
  readonly bytes: Buffer | undefined
  readonly wrappedHash: string
  /** The file that holds it. */
  readonly savedAt: string
}

export function hashBytes(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Remembers the original of `path` (a realpath); undefined: there is none. */
export function saveOriginal(state: string, path: string, original: Buffer | undefined, wrapped: string): void {
  const target = savedPath(state, path)
  mkdirSync(join(state, 'installed'), { recursive: true, mode: 0o700 })
  const kept = original === undefined ? { original: '', absent: true } : { original: original.toString('base64') }
  const record = { path, ...kept, wrapped_sha256: hashBytes(wrapped) }
  replaceFile(target, `${JSON.stringify(record)}\n`, 0o600)
}

/** The saved original; undefined when this file was never wrapped, or what was saved is damaged: then ours is taken out by text. */
export function findOriginal(state: string, path: string): Original | undefined {
  const savedAt = savedPath(state, path)
  const record = parseRecord(readTextFile(savedAt))
  if (record === undefined) return undefined
  const bytes = record.absent ? undefined : Buffer.from(record.original, 'base64')
  return { bytes, wrappedHash: record.wrapped_sha256, savedAt }
}

function parseRecord(text: string | undefined): z.infer<typeof schema> | undefined {
  try {
    return text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // no JSON
  }
}

export function forgetOriginal(state: string, path: string): void {
  rmSync(savedPath(state, path), { force: true })
}

/** Replaces a file in one step, keeping its mode; `mode` is for a new one. */
export function replaceFile(path: string, content: Buffer | string, mode = 0o600): void {
  const kept = statSync(path, { throwIfNoEntry: false })?.mode ?? mode
  const next = `${path}.${randomBytes(4).toString('hex')}.tmp`
  writeFileSync(next, content, { mode: 0o600, flush: true })
  chmodSync(next, kept & 0o7777)
  renameSync(next, path)
}

/** Puts back what was there: the bytes, or nothing. */
export function restoreOriginal(path: string, { bytes }: Original): void {
  if (bytes === undefined) rmSync(path, { force: true })
  else replaceFile(path, bytes)
}

/** @throws SwornError IO_FAILED naming the file; for a folder, a pipe or a device too */
export function readBytes(path: string): Buffer {
  try {
    if (statSync(path).isFile()) return readFileSync(path)
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'the file cannot be read', path, { cause })
  }
  throw new SwornError('IO_FAILED', 'a file was expected, no folder, pipe or device', path)
}

/**
 * What a client's file says, as text that can be written back.
 * @throws SwornError CONFIG_INVALID for bytes that would come back as others
 */
export function toText(bytes: Buffer, path: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  throw new SwornError('CONFIG_INVALID', 'UTF-8 was expected', path)
}

/**
 * The client may write its file too, while somebody reads what would change.
 * @throws SwornError USAGE when the file is not any more what was shown
 */
export function checkUnchanged(path: string, shown: Buffer | undefined): void {
  const now = existsSync(path) ? readBytes(path) : undefined
  if (now === undefined ? shown === undefined : shown?.equals(now)) return
  throw new SwornError('USAGE', 'the file was changed while the difference was shown; nothing was written, run it again', path)
}

function savedPath(state: string, path: string): string {
  return join(state, 'installed', `${hashBytes(path).slice(0, 32)}.json`)
}
