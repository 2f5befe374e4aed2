/**
 * Other names of protected files: a hard link is the same file, whatever it is called.
 *
 * Asked only about a file that has several names; then the protected files that have several are looked up, at most
 * 10,000 names of what protects itself and as many of what a policy protects. Source: spec policy §6.4, checklist AW23.
 * BUG: beyond its 10,000 names a folder that a policy protects is not looked into. Way out: protect the file by its path.
 * @module
 */
import { isThere, type Platform, toSlashes } from './place.ts'

/** What is protected, and what it is to the caller. */
export interface Guarded<T> {
  readonly target: T
  readonly places: readonly string[]
  readonly isSelf: boolean
}

/** Gives the target that the file of this name belongs to, under another name. */
export type FindAlias<T> = (place: string) => T | undefined

const MAX_NAMES = 10_000

/**
 * For the time of one judgement.
 * @returns a function that throws RangeError when what protects itself has more names than can be compared
 */
export function createAliases<T>(guarded: readonly Guarded<T>[], disk: Platform): FindAlias<T> {
  let known: ReadonlyMap<string, T> | undefined
  return (place) => {
    if (disk.exists && !isThere(place, disk)) return undefined
    const file = disk.fileAt?.(place)
    if (!file || file.links < 2) return undefined
    known ??= findShared(guarded, disk)
    return known.get(file.id)
  }
}

/** Protected files with several names, by what they are. */
function findShared<T>(guarded: readonly Guarded<T>[], disk: Platform): ReadonlyMap<string, T> {
  const shared = new Map<string, T>()
  for (const isSelf of [true, false]) {
    let left = MAX_NAMES
    for (const { target, places } of guarded.filter((one) => one.isSelf === isSelf)) {
      const open = [...places]
      for (let path = open.pop(); path !== undefined && left > 0; path = open.pop()) {
        left--
        const file = disk.fileAt?.(path)
        if (file && file.links > 1) shared.set(file.id, shared.get(file.id) ?? target)
        if (!file && !isLink(path, disk)) for (const name of disk.namesIn?.(path) ?? []) open.push(`${path}/${name}`)
        disk.checkTime?.(1024)
      }
    }
    if (left === 0 && isSelf) throw new RangeError('too many protected files to compare with')
  }
  return shared
}

/** What a link leads to is protected where it is, not here: nobody is led in circles. */
function isLink(path: string, disk: Platform): boolean {
  try {
    const real = toSlashes(disk.realpath(path))
    return disk.caseInsensitive ? real.toLowerCase() !== path.toLowerCase() : real !== path
  } catch {
    return true
  }
}
