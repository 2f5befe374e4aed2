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
  /** The file of this name, links followed; undefined when there is none, or it is a folder. */
  fileAt?(path: string): FileFacts | undefined
  /** Names in a folder; none where it is no folder. */
  namesIn?(folder: string): readonly string[]
  /** True where the file system ignores case. */
  readonly caseInsensitive?: boolean
  /** Where paths were found to lead; only for the time of one judgement. */
  readonly resolved?: Map<string, string>
  /** Throws when this judgement has taken too long; only for the time of one judgement. @param chars that are looked at next */
  checkTime?(chars?: number): void
}

export interface FileFacts {
  /** The same for every name of one file. */
  readonly id: string
  /** How many names it has. */
  readonly links: number
}

const MAX_LOOKUPS = 64
/** No file system has longer names, in UTF-16 units. */
const MAX_NAME = 255

export const toSlashes = (path: string): string => path.replaceAll('\\', '/')
export const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:\//.test(path)
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The same disk for the time of one judgement: each name and each path is looked up once. */
export function lookOnce(platform: Platform): Platform {
  const reals = new Map<string, string | Error>()
  const known = new Map<string, boolean>()
  const { exists } = platform
  return {
    ...platform,
    resolved: new Map(),
    realpath(path) {
      const real = reals.get(path) ?? realOrError(path, platform)
      reals.set(path, real)
      if (typeof real === 'string') return real
      throw real
    },
    ...(exists && {
      exists(path) {
        const is = known.get(path) ?? exists(path)
        known.set(path, is)
        return is
      },
    }),
  }
}

function realOrError(path: string, platform: Platform): string | Error {
  try {
    return platform.realpath(path)
  } catch (e) {
    return e instanceof Error ? e : new TypeError('a path was expected')
  }
}

/** An empty, `.` or `..` segment. */
const UNCLEAN = /\/(?:\.{0,2}\/|\.{0,2}$)/

/** Absolute and without `.`, `..` and doubled slashes. */
export function toPlace(path: string, cwd: string): string {
  const absolute = isAbsolute(path) ? path : `${toSlashes(cwd)}/${path}`
  if (absolute.startsWith('/') && !UNCLEAN.test(absolute)) return absolute
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
 * it is on disk. What does not exist keeps its name. With `..` in it at most 64 lookups, the rest is taken literally.
 */
export function resolveLinks(path: string, platform: Platform): string {
  const place = platform.resolved?.get(path) ?? followLinks(path, platform)
  platform.resolved?.set(path, place)
  return place
}

function followLinks(path: string, platform: Platform): string {
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
  const partOf = (count: number) => segments.slice(0, count).join('/') || '/'
  const known = isRelative && platform.realCwd !== undefined ? countSegments(toPlace(toSlashes(platform.cwd), '/')) : 0
  const exists = (count: number) => isThere(partOf(count), platform)
  for (let count = countExisting(known, segments.length, exists); count > 0; count--) {
    const found = count === known ? platform.realCwd : realpathOf(partOf(count), platform)
    if (found !== undefined) return toPlace([found, ...segments.slice(count)].join('/'), '/')
  }
  return place
}

const countSegments = (place: string): number => (place === '/' ? 1 : place.split('/').length)

/**
 * How many segments lead to something, at least `known`. What exists has a parent that exists, so halves are enough,
 * after what most paths are: there, new in a folder that is there, or no path at all.
 */
function countExisting(known: number, all: number, exists: (count: number) => boolean): number {
  for (const count of [all, all - 1]) if (count <= known || exists(count)) return Math.max(count, known)
  if (!exists(known + 1)) return known
  let [low, high] = [known + 1, all - 2]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (exists(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/** False for what cannot be seen, too. */
export function isThere(path: string, platform: Platform): boolean {
  if (path.length - path.lastIndexOf('/') > MAX_NAME + 1) return false
  try {
    return platform.exists ? platform.exists(path) : realpathOf(path, platform) !== undefined
  } catch {
    return false // not ours to see
  }
}

function tryRealpath(path: string, platform: Platform): string | undefined {
  return platform.exists && !isThere(path, platform) ? undefined : realpathOf(path, platform)
}

function realpathOf(path: string, platform: Platform): string | undefined {
  try {
    return toSlashes(platform.realpath(path))
  } catch {
    return undefined // not there, or not ours to see: the name is all there is
  }
}
