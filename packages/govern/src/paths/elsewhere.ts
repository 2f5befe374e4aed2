/**
 * Places that one text alone does not tell: those of another process, and those that two arguments make together.
 * @module
 */
import { isAbsolute, toPlace, toSlashes } from './place.ts'

const MAX_NAME = 255
const MAX_FOLDERS = 16
const MAX_NAMES = 256
const PROCESS = /^(?:self|thread-self|\d+)$/

/**
 * True for a path that leads through a process to its folders or what it has open (`/proc/self/cwd/x`): it is the server
 * that follows it, and what that comes to cannot be seen from here.
 */
export function leadsThroughProcess(path: string): boolean {
  if (!/proc[/\\]/.test(path)) return false
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  const rest = segments.slice(segments.indexOf('proc') + 1)
  const process = segments.includes('proc') ? rest.findIndex((segment) => PROCESS.test(segment)) : -1
  if (process < 0) return false
  const within = rest.slice(process + 1)
  return within.some((segment, i) => segment === 'cwd' || segment === 'root' || (segment === 'fd' && i + 2 < within.length))
}

/**
 * Each short text that is no absolute path, below each one that is a folder with a slash in its name (`{dir, file}`).
 * At most 16 folders and 256 names.
 * @param follow a folder without links
 */
export function* joinTexts(texts: readonly string[], follow: (folder: string) => string): Generator<{ place: string; text: string }> {
  const short = texts.filter((text) => text.trim() !== '' && text.length <= MAX_NAME && !text.includes('\n'))
  const folders = new Set(
    short
      .filter((text) => /[/\\]/.test(text))
      .slice(0, MAX_FOLDERS)
      .map(follow),
  )
  const names = short.filter((text) => !isAbsolute(toSlashes(text))).slice(0, MAX_NAMES)
  for (const folder of folders) for (const text of names) yield { place: toPlace(`${folder}/${toSlashes(text)}`, '/'), text }
}
