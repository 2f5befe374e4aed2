/** The file system of this process, as the path guard asks it. @module */
import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { type FileFacts, type Platform, toSlashes } from './place.ts'

/** @param cwd where relative paths of the server begin */
export function nodePlatform(cwd: string = process.cwd()): Platform {
  const realCwd = exists(cwd) ? { realCwd: toSlashes(realpathSync.native(cwd)) } : {}
  const disk = { realpath: realpathSync.native, exists, fileAt, namesIn }
  return { home: homedir(), cwd, ...realCwd, ...disk, caseInsensitive: process.platform === 'win32' }
}

/** Cheaper than a realpath that throws. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function fileAt(path: string): FileFacts | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true })
    return found?.isFile() ? { id: `${found.dev} ${found.ino}`, links: Number(found.nlink) } : undefined
  } catch {
    return undefined // not ours to see
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
