/** The file system of this process, as the path guard asks it. @module */
import { lstatSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { type Platform, toSlashes } from './place.ts'

/** @param cwd where relative paths of the server begin */
export function nodePlatform(cwd: string = process.cwd()): Platform {
  const realCwd = exists(cwd) ? { realCwd: toSlashes(realpathSync.native(cwd)) } : {}
  return { home: homedir(), cwd, ...realCwd, realpath: realpathSync.native, exists, caseInsensitive: process.platform === 'win32' }
}

/** Cheaper than a realpath that throws. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
