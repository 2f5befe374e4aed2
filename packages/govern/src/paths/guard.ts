/**
 * Finds the protected path that a call's arguments name, however they spell it.
 *
 * `strict` finds everything that `aip-compat` finds, and the holes in that. What the caller protects by
 * itself (ledger, keys, policy, configuration) is exact places: no base names, and parents only where a call
 * takes all that is in them, so that a project that holds a ledger stays usable. Source: spec policy §6.4, checklist AW11, AW23.
 * @module
 */
import type { Profile } from '../profiles.ts'
import { createAliases, type FindAlias } from './aliases.ts'
import { joinTexts, leadsThroughProcess } from './elsewhere.ts'
import { findLeaves, type Leaf } from './leaves.ts'
import { baseName, isAbsolute, isInside, type Platform, resolveLinks, toPlace, toSlashes } from './place.ts'
import { expandHome, findSpellings, findTokens } from './spellings.ts'

/** What was named, for the record only: never shown to the client. */
export interface PathHit {
  /** `protected_paths.N`, or `self` for what is protected without the policy saying so. */
  readonly rule: string
  /** As written in the policy or handed in. */
  readonly path: string
  readonly pointer: string
}

export interface PathGuard {
  /**
   * Hostile input; looks at every string.
   * @throws RangeError when there are more than 10,000 to resolve, or the time of the judgement is over: nobody may hide one
   */
  find(input: unknown, disk: Platform, use?: CallUse): PathHit | undefined
}

/** How a call uses the paths that it names. */
export interface CallUse {
  /** A folder goes with all that is in it: a parent of what is protected counts. */
  readonly takesAll: boolean
}

interface Protected {
  readonly rule: string
  readonly written: string
  /** Absolute and cleaned, and the same without links. */
  readonly places: readonly string[]
  readonly isSelf: boolean
  /** A name without a slash: any segment of that name is protected. */
  readonly bare?: string
}

interface Search {
  readonly targets: readonly Protected[]
  readonly platform: Platform
  /** Lower-cases where case does not matter. */
  fold(text: string): string
  /** Link lookups left in this call: for values and commands, and for other text. */
  lookups: number
  textLookups: number
  readonly takesAll: boolean
  /** Whether a name without a slash may be protected. */
  readonly hasBare: boolean
  readonly findAlias: FindAlias<Protected>
}

const MAX_PATH = 4096
const MAX_LOOKUPS = 10_000
// BUG: in long text that is neither a value on its own nor a command, links after the 4,096th path are not
// followed, only compared as text. Way out: a tool that takes paths in prose should not be allowed.
const MAX_TEXT_LOOKUPS = 4096
/** What cannot be seen from here may be anything that is protected. */
const ELSEWHERE: Protected = { rule: 'self', written: '/proc', places: [], isSelf: true }
const COMMAND_KEY = /^(command|cmd|script|shell|args|argv|code)$/i
/** What looking at a text costs besides its characters, in characters. */
const PER_LEAF = 256
const PER_TOKEN = 64
const NAME_CHARACTER = /[A-Za-z0-9._-]/

export interface GuardOptions {
  readonly paths: readonly string[]
  readonly selfProtected: readonly string[]
  readonly profile: Profile
  readonly platform: Platform
}

export function createPathGuard({ paths, selfProtected, profile, platform }: GuardOptions): PathGuard {
  const fold = (text: string) => (platform.caseInsensitive ? text.toLowerCase() : text)
  const targets = [
    ...paths.map((path, index) => toTarget(path, `protected_paths.${index}`, false, platform, fold)),
    ...selfProtected.map((path) => toTarget(path, 'self', true, platform, fold)),
  ]
  const matches = profile === 'strict' ? namesTarget : namesTargetAsGo
  const guarded = targets.map((target) => ({ target, places: target.places, isSelf: target.isSelf }))
  const limits = { lookups: MAX_LOOKUPS, textLookups: MAX_TEXT_LOOKUPS, hasBare: targets.some(({ bare }) => bare !== undefined) }
  return {
    find(input, disk, { takesAll } = { takesAll: false }) {
      if (targets.length === 0) return undefined
      const search: Search = { ...limits, targets, platform: disk, fold, takesAll, findAlias: createAliases(guarded, disk) }
      const values: Leaf[] = []
      for (const leaf of findLeaves(input)) {
        disk.checkTime?.(PER_LEAF + leaf.text.length)
        if (leaf.isKey && profile === 'aip-compat') continue
        const target = matches(leaf, search)
        if (target) return { rule: target.rule, path: target.written, pointer: leaf.pointer() }
        if (!leaf.isKey) values.push(leaf)
      }
      return profile === 'strict' ? findJoined(values, search) : undefined
    },
  }
}

function toTarget(written: string, rule: string, isSelf: boolean, platform: Platform, fold: (text: string) => string): Protected {
  const path = toSlashes(expandHome(written, platform))
  const places = new Set([toPlace(path, platform.cwd), resolveLinks(path, platform)].map(fold))
  const isBare = !isSelf && !path.includes('/')
  return { rule, written, places: [...places], isSelf, ...(isBare && { bare: fold(path) }) }
}

/** AIP's reference: the value or its expansion equals, is under or contains the path, or ends in its base name. */
function namesTargetAsGo({ text }: Leaf, { targets, platform }: Search): Protected | undefined {
  const expanded = text.startsWith('~/') ? platform.home + text.slice(1) : text
  const cleaned = toPlace(expanded, platform.cwd)
  const looksLikePath = /[/\\]/.test(text) || text.startsWith('.')
  return targets.find(({ places: [place = ''] }) => {
    if (text.includes(place) || expanded.includes(place) || isInside(cleaned, place)) return true
    return looksLikePath && baseName(toSlashes(text)) === baseName(place)
  })
}

function namesTarget(leaf: Leaf, search: Search): Protected | undefined {
  if (leaf.text.trim() === '') return undefined
  const seen = new Set<string>()
  for (const spelling of findSpellings(leaf.text, search.platform)) {
    search.platform.checkTime?.(spelling.length)
    const text = search.fold(spelling)
    const found =
      search.targets.find((target) => containsPlace(text, target)) ??
      findWhole(spelling, search) ??
      findInTokens(spelling, { isCommand: COMMAND_KEY.test(leaf.key), seen }, search)
    if (found) return found
  }
  return undefined
}

/** A folder and a name in it, given apart. */
function findJoined(values: readonly Leaf[], { targets, platform, fold }: Search): PathHit | undefined {
  const own = targets.filter(({ isSelf }) => isSelf)
  if (own.length === 0) return undefined
  const follow = (folder: string) => resolveLinks(toSlashes(expandHome(folder, platform)), platform)
  const texts = values.map(({ text }) => text)
  for (const { place, text } of joinTexts(texts, follow)) {
    const target = own.find(({ places }) => places.some((root) => isInside(fold(place), root)))
    const leaf = values.find((value) => value.text === text)
    if (target && leaf) return { rule: target.rule, path: target.written, pointer: leaf.pointer() }
  }
  return undefined
}

/** The path stands somewhere in the text; what is protected by itself must end there or go on below. */
function containsPlace(text: string, { places, isSelf }: Protected): boolean {
  return places.some((place) => {
    if (!isSelf) return text.includes(place)
    for (let at = text.indexOf(place); at >= 0; at = text.indexOf(place, at + 1)) {
      if (!NAME_CHARACTER.test(text[at + place.length] ?? '')) return true
    }
    return false
  })
}

/** The whole text as one path. */
function findWhole(text: string, search: Search): Protected | undefined {
  if (text.length > MAX_PATH) return undefined
  return findPlace(text.trim(), search, { withParents: true, isText: false })
}

/** Tokens that look like paths; in a command every token may be a relative one. `seen`: those that other spellings share. */
function findInTokens(
  text: string,
  { isCommand, seen }: { readonly isCommand: boolean; readonly seen: Set<string> },
  search: Search,
): Protected | undefined {
  for (const token of findTokens(text, !isCommand && !search.hasBare)) {
    search.platform.checkTime?.(PER_TOKEN + token.length)
    if (token === '' || token === text || token.length > MAX_PATH) continue // the whole text was looked at as a path
    const isPath = isCommand || token.includes('/') || token.startsWith('.')
    if ((!isPath && !search.hasBare) || seen.has(token)) continue
    seen.add(token)
    const withParents = isAbsolute(token) && /[^/]/.test(token)
    const found = isPath ? findPlace(token, search, { withParents, isText: !isCommand }) : findBare(token, search)
    if (found) return found
  }
  return undefined
}

interface PathUse {
  /** Whether a parent directory of a protected place counts. */
  readonly withParents: boolean
  /** Part of a longer text that is no command. */
  readonly isText: boolean
}

function findPlace(path: string, search: Search, { withParents, isText }: PathUse): Protected | undefined {
  const { platform, fold } = search
  if (leadsThroughProcess(path)) return ELSEWHERE
  const found = findBare(path, search) ?? findAt(fold(toPlace(path, platform.cwd)), search, withParents)
  if (found) return found
  if (isText && search.textLookups-- <= 0) return undefined
  if (!isText && search.lookups-- <= 0) throw new RangeError('too many paths to resolve')
  const real = resolveLinks(path, platform)
  return findAt(fold(real), search, withParents) ?? search.findAlias(real)
}

function findAt(place: string, { targets, takesAll }: Search, withParents: boolean): Protected | undefined {
  return targets.find(({ places, isSelf }) =>
    places.some((root) => isInside(place, root) || (withParents && (!isSelf || takesAll) && isInside(root, place))),
  )
}

/** Base names: a protected bare name in any segment, also with an ending; a full path's base name where a path ends. */
function findBare(path: string, { targets, fold }: Search): Protected | undefined {
  const folded = fold(path)
  const segments = folded.split('/')
  const last = segments.at(-1) ?? ''
  const looksLikePath = segments.length > 1 || folded.startsWith('.')
  return targets.find(({ bare, isSelf, places }) => {
    if (bare !== undefined) return segments.some((segment) => segment === bare || (bare.startsWith('.') && segment.startsWith(`${bare}.`)))
    return !isSelf && looksLikePath && places.some((place) => baseName(place) === last && last !== '')
  })
}
