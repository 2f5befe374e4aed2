/**
 * Paths as values: absolute, cleaned, with `/` between segments. No file system here but `resolveLinks`.
 * @module
 */

/** What is asked of the host; injected in tests. */
export interface Platform {
  readonly home: string
  readonly cwd: string
  /** `cwd` without links, as the process entered it: a relative path begins there, whatever the name leads to now. */
  readonly realCwd?: string
  /** The path without symbolic links; throws when it does not exist. */
  realpath(path: string): string
  /** False when nothing has this name, links not followed; asked before `realpath`, because most texts name no file. */
  exists?(path: string): boolean
  /** True where the file system ignores case. */
  readonly caseInsensitive?: boolean
}

const MAX_LOOKUPS = 64

export const toSlashes = (path: string): string => path.replaceAll('\\', '/')
export const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:\//.test(path)
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Absolute and without `.`, `..` and doubled slashes. */
export function toPlace(path: string, cwd: string): string {
  const absolute = isAbsolute(path) ? path : `${toSlashes(cwd)}/${path}`
  const segments: string[] = []
  for (const segment of absolute.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const joined = segments.join('/')
  return absolute.startsWith('/') ? `/${joined}` : joined
}

/** True when `place` is `root` or lies below it; both cleaned. */
export function isInside(place: string, root: string): boolean {
  return place === root || place.startsWith(root.endsWith('/') ? root : `${root}/`)
}

/**
 * The place that the kernel would reach: links are followed segment by segment, so that `link/..` is what
 * it is on disk. What does not exist keeps its name. At most 64 lookups, the rest is taken literally.
 */
export function resolveLinks(path: string, platform: Platform): string {
  const isRelative = !isAbsolute(path)
  const absolute = isRelative ? `${toSlashes(platform.cwd)}/${path}` : path
  if (!absolute.includes('/..')) return resolveExisting(toPlace(absolute, '/'), platform, isRelative)
  let at = ''
  for (const [index, segment] of absolute.split('/').entries()) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
    else at = index < MAX_LOOKUPS ? (tryRealpath(`${at}/${segment}`, platform) ?? `${at}/${segment}`) : `${at}/${segment}`
  }
  return at === '' ? '/' : at
}

/** The longest existing part without links, the rest appended. */
function resolveExisting(place: string, platform: Platform, isRelative: boolean): string {
  const segments = place.split('/')
  for (let count = segments.length; count > 0; count--) {
    if (segments.length - count >= MAX_LOOKUPS) break
    const part = segments.slice(0, count).join('/') || '/'
    const found = isRelative && part === platform.cwd ? (platform.realCwd ?? tryRealpath(part, platform)) : tryRealpath(part, platform)
    if (found !== undefined) return toPlace([found, ...segments.slice(count)].join('/'), '/')
  }
  return place
}

function tryRealpath(path: string, platform: Platform): string | undefined {
  try {
    return platform.exists?.(path) === false ? undefined : toSlashes(platform.realpath(path))
  } catch {
    return undefined // not there, or not ours to see: the name is all there is
  }
}
