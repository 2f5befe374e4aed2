/**
 * Where hooks are answered, and what is said there. Loaded by every hook: it imports next to nothing.
 *
 * A socket in the state directory, which is this user's alone. The answerer greets with GREETING, so one that is paused or of
 * another version is told nothing; then the request is one line of JSON and the payload behind it, and the reply one JSON.
 * @module
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { VERSION } from '../frame/version.ts'

export interface HookRequest {
  /** What follows `sworn hook`. */
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What the hook's process prints, and how it ends. */
export interface HookReply {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const GREETING = `sworn hooks ${VERSION}\n`

/** Longest socket path that every supported Node and kernel takes whole. */
const MAX_SOCKET_PATH = 100

/** undefined: hooks are not answered there. @param state the state directory */
export function hooksAddress(state: string, platform: NodeJS.Platform): string | undefined {
  const path = join(state, 'hooks.sock')
  return platform === 'win32' || Buffer.byteLength(path) > MAX_SOCKET_PATH ? undefined : path
}

/**
 * Whether hooks can be answered in `state`: a directory that is this user's alone, and a path that is short enough.
 * @param uid undefined where files have no owner
 */
export function canAnswerHooks(state: string, platform: NodeJS.Platform, uid = process.getuid?.()): boolean {
  if (hooksAddress(state, platform) === undefined) return false
  const stat = lstatSync(state, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o077) === 0
}
