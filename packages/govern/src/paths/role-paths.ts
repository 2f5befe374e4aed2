/**
 * Path globs of a role: which places its calls may name. Blocked wins.
 *
 * Hostile input. A text counts as a path when its member is called like one or when it looks like one, at any depth,
 * and as every place that it may spell: links followed, `..`, `~`, `$HOME`, percent triplets, full-width and quotes
 * undone. Allowed means every reading lies inside; blocked means one of them does. Case never hides a blocked place.
 * Source: design, govern; checklist §4 P14, PW6.
 * @module
 */
import { EVERYWHERE, foldGlob, type Glob, isGlob, literalGlob, mayMeet, parseGlob } from './globs.ts'
import { findLeaves, type Leaf } from './leaves.ts'
import { isAbsolute, type Platform, resolveLinks, toPlace, toSlashes } from './place.ts'
import { expandHome, findSpellings } from './spellings.ts'

/** What a call names and may not; for the record only. */
export interface RolePathHit {
  /** `allowed_paths` or `blocked_paths.N`. */
  readonly rule: string
  /** JSON Pointer of the argument, or the part of a command. */
  readonly where: string
  /** False: only the run of the command would tell. */
  readonly certain: boolean
}

/** A path as a command writes it. */
export interface WrittenPath {
  readonly path: string
  readonly where: string
}

export interface RolePaths {
  /** @param skip pointers of texts that are judged elsewhere, as commands */
  findIn(input: unknown, skip: ReadonlySet<string>, disk: Platform): RolePathHit | undefined
  /** @param bases folders that a relative path may begin in, besides the working one */
  findInCommand(paths: readonly WrittenPath[], bases: readonly string[], disk: Platform): RolePathHit | undefined
}

export interface RolePathRules {
  readonly allowed: readonly string[]
  readonly blocked: readonly string[]
}

interface Compiled {
  readonly allowed: readonly Glob[]
  readonly blocked: readonly Glob[]
  readonly allowsAll: boolean
  readonly platform: Platform
}

const MAX_PATH = 4096
const MAX_PATHS = 10_000
const PATH_WORDS = new Set([
  'path',
  'paths',
  'file',
  'files',
  'filename',
  'filepath',
  'dir',
  'dirs',
  'directory',
  'folder',
  'cwd',
  'workdir',
])
const LOOKS_LIKE_PATH =
  /^([/~]|\.{1,2}([/\\]|$)|file:|[A-Za-z]:[\\/]|\\\\|\$\{?(HOME|env:)|%(HOME|USERPROFILE|2e|2f|5c))|[/\\]\.\.([/\\]|$)|%2e%2e/i

/** @throws RangeError when a glob has more than 64 alternatives; `isGoodGlob` says so before */
export function createRolePaths({ allowed, blocked }: RolePathRules, platform: Platform): RolePaths {
  const rules: Compiled = {
    allowed: allowed.map((glob) => compile(glob, platform, platform.caseInsensitive ?? false)),
    blocked: blocked.map((glob) => compile(glob, platform, true)),
    allowsAll: allowed.includes('**') || allowed.includes('/**'),
    platform,
  }
  return {
    findIn: (input, skip, disk) => findInArguments({ ...rules, platform: disk }, input, skip),
    findInCommand: (paths, bases, disk) => findInCommand({ ...rules, platform: disk }, paths, bases),
  }
}

/** False for a glob that nobody can keep in view. */
export function isGoodGlob(glob: string): boolean {
  return !glob.split('/').includes('..') && parseGlob(glob) !== undefined
}

/** `{{project_path}}` is the working directory; a name without a slash is meant in any folder. */
function compile(written: string, platform: Platform, fold: boolean): Glob {
  const bases = new Set([platform.cwd, platform.realCwd ?? platform.cwd])
  const texts = written.includes('{{project_path}}')
    ? [...bases].map((base) => written.replaceAll('{{project_path}}', toSlashes(base)))
    : [written]
  return texts.flatMap((text) => {
    const home = expandHome(text, platform)
    const rooted =
      isAbsolute(home) || home.startsWith('**') ? [home] : [...bases].map((base) => `${toSlashes(base)}/${home.replace(/^\.\//, '')}`)
    const anywhere = home.includes('/') || home.startsWith('**') ? rooted : [`**/${home}`]
    return anywhere.flatMap((one) => {
      const glob = parseGlob(one.startsWith('**/') ? `/${one}` : one === '**' ? '/**' : one)
      if (!glob) throw new RangeError('a glob with at most 64 alternatives was expected')
      return fold ? foldGlob(glob) : glob
    })
  })
}

function findInArguments(rules: Compiled, input: unknown, skip: ReadonlySet<string>): RolePathHit | undefined {
  const { platform } = rules
  let count = 0
  for (const leaf of findLeaves(input)) {
    const { text } = leaf
    if (text === '' || text.length > MAX_PATH || text.includes('\n')) continue
    const where = leaf.pointer()
    if (skip.has(where)) continue
    platform.checkTime?.(1024)
    if (++count > MAX_PATHS) throw new RangeError('too many paths to resolve')
    const places = placesOf(text.trim(), platform)
    const blocked = findBlocked(rules, places.map(literalGlob))
    if (blocked !== undefined) return { rule: `blocked_paths.${blocked}`, where, certain: true }
    const outside = !rules.allowsAll && isPath(leaf, where) && !places.every((place) => isAllowed(rules, literalGlob(place)))
    if (outside) return { rule: 'allowed_paths', where, certain: true }
  }
  return undefined
}

function isPath({ text, isKey }: Leaf, where: string): boolean {
  if (LOOKS_LIKE_PATH.test(text.trim())) return true
  const name = where.split('/').findLast((step) => !/^\d+$/.test(step)) ?? ''
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  return !isKey && words.some((word) => PATH_WORDS.has(word))
}

/** Absolute places, links followed and not. */
function placesOf(text: string, platform: Platform): string[] {
  const places = new Set<string>()
  for (const spelling of findSpellings(text, platform)) {
    const path = toSlashes(spelling.replace(/^file:(\/\/[^/]*(?=\/))?/i, ''))
    if (path === '') continue
    const place = toPlace(path, platform.cwd)
    const real = resolveLinks(path, platform)
    const isUnexpandedHome =
      /^[~$%]/.test(path) && real === resolveLinks(place, platform) && places.size === 0 && expandHome(path, platform) !== path
    if (isUnexpandedHome) continue // no tool means a folder that is called `~`
    places.add(place).add(real)
  }
  return [...places]
}

function findInCommand(rules: Compiled, paths: readonly WrittenPath[], bases: readonly string[]): RolePathHit | undefined {
  for (const { path, where } of paths) {
    const froms = isAbsolute(path) || /^[~$]/.test(path) ? [''] : ['', ...bases.map((base) => `${base}/`)]
    for (const from of froms) {
      rules.platform.checkTime?.()
      const hit = findWritten(rules, { path: from + path, where })
      if (hit) return hit
    }
  }
  return undefined
}

/** What the shell would expand is compared as a glob; what nobody knows before may be anywhere. */
function findWritten(rules: Compiled, { path, where }: WrittenPath): RolePathHit | undefined {
  const { platform, blocked, allowed, allowsAll } = rules
  const known = expandHome(path, platform)
  if (/[$`]|[<>]\(/.test(known)) {
    const rule = blocked.length > 0 ? 'blocked_paths' : 'allowed_paths'
    return blocked.length > 0 || !allowsAll ? { rule, where, certain: false } : undefined
  }
  const open = isGlob(known)
  const index = findBlocked(rules, open ? globsOf(known, platform) : placesOf(known, platform).map(literalGlob))
  if (index !== undefined) return { rule: `blocked_paths.${index}`, where, certain: !open }
  const fixed = open ? fixedFolder(known) : known
  const leaves = open && /(^|\/)\.\.(\/|$)/.test(known.slice(fixed.length))
  if (allowsAll || (allowed.length > 0 && !leaves && placesOf(fixed, platform).every((place) => isAllowed(rules, literalGlob(place)))))
    return undefined
  return { rule: 'allowed_paths', where, certain: !open }
}

/** What stands before the first segment that is not fixed. */
function fixedFolder(path: string): string {
  const first = path.search(/[*?[{]/)
  return path.slice(0, path.lastIndexOf('/', first) + 1) || '.'
}

function globsOf(path: string, platform: Platform): Glob[] {
  const fixed = fixedFolder(path)
  const rest = fixed === '.' ? path : path.slice(fixed.length)
  return placesOf(fixed, platform).map((folder) => parseGlob(`${folder === '/' ? '' : folder}/${rest}`) ?? EVERYWHERE)
}

function findBlocked({ blocked }: Compiled, globs: readonly Glob[]): number | undefined {
  const folded = globs.map(foldGlob)
  const index = blocked.findIndex((rule) => folded.some((glob) => mayMeet(rule, glob)))
  return index < 0 ? undefined : index
}

function isAllowed({ allowed, platform }: Compiled, place: Glob): boolean {
  return allowed.some((rule) => mayMeet(rule, platform.caseInsensitive ? foldGlob(place) : place))
}
