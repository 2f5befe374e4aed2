/**
 * `trusted.json` in the state directory: which project files were trusted, by realpath and content hash.
 *
 * Written by tmp and rename, mode 0600; a missing file trusts nothing, a malformed one is an error.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'
import type { TrustedFiles } from './trust.ts'

const HASH = /^[0-9a-f]{64}$/

/** @throws SwornError CONFIG_INVALID when the file is not what was written */
export function readTrusted(stateDirectory: string): TrustedFiles {
  const path = join(stateDirectory, 'trusted.json')
  const text = readTextFile(path)
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    if (isTrustedFiles(value)) return value
  } catch {} // not JSON: the same error
  throw new SwornError('CONFIG_INVALID', 'a JSON object of paths and hashes was expected', path)
}

function isTrustedFiles(value: unknown): value is TrustedFiles {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((hash) => typeof hash === 'string' && HASH.test(hash))
}

/** Remembers `path` (a realpath) with the hash of what it holds now; an undefined hash forgets it. */
export function rememberTrusted(stateDirectory: string, path: string, hash: string | undefined): void {
  const { [path]: _before, ...others } = readTrusted(stateDirectory)
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const target = join(stateDirectory, 'trusted.json')
  const next = `${target}.${process.pid}.tmp`
  writeFileSync(next, `${JSON.stringify(hash === undefined ? others : { ...others, [path]: hash }, null, 2)}\n`, { mode: 0o600 })
  renameSync(next, target)
}

/** A file's text, or undefined when it does not exist. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (e) {
    if (e instanceof Error && 'code' in e && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return undefined
    throw new SwornError('IO_FAILED', 'the file cannot be read', path, { cause: e })
  }
}
