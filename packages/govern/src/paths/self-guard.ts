/**
 * What no command may write: the ledger, its keys, the policy, the configuration.
 *
 * Finds what the path guard cannot see in a text: files that a shell's glob would name, folders above that a command
 * moves or deletes, places below a folder that it enters first. BUG: a target that is known only when the command
 * runs (`> $X`) is not found; a role that asks about such commands, or does not allow them, closes that.
 * @module
 */
import { EVERYWHERE, foldGlob, type Glob, isGlob, literalGlob, mayMeet, parseGlob } from './globs.ts'
import { isAbsolute, type Platform, resolveLinks, toPlace, toSlashes } from './place.ts'
import { expandHome } from './spellings.ts'

/** How a command uses its paths. */
export interface CommandPaths {
  /** Those that may be written. */
  readonly paths: readonly string[]
  /** Folders that a relative path may begin in, besides the working one. */
  readonly bases: readonly string[]
  /** Whether what lies below a path goes with it. */
  readonly takesAll: boolean
}

export interface SelfGuard {
  /** The protected path, as it was handed in. */
  findWritten(command: CommandPaths): string | undefined
}

interface Target {
  readonly written: string
  readonly globs: readonly Glob[]
  readonly above: readonly Glob[]
}

export function createSelfGuard(selfProtected: readonly string[], platform: Platform): SelfGuard {
  const fold = (glob: Glob) => (platform.caseInsensitive ? foldGlob(glob) : glob)
  const targets = selfProtected.map((written) => toTarget(written, platform, fold))
  return {
    findWritten({ paths, bases, takesAll }) {
      const globs = paths.flatMap((path) => readings(path, bases, platform)).map(fold)
      const names = ({ globs: own, above }: Target) =>
        globs.some((glob) => own.some((one) => mayMeet(one, glob)) || (takesAll && above.some((one) => mayMeet(one, glob))))
      return targets.find(names)?.written
    },
  }
}

function toTarget(written: string, platform: Platform, fold: (glob: Glob) => Glob): Target {
  const path = toSlashes(expandHome(written, platform))
  const places = [...new Set([toPlace(path, platform.cwd), resolveLinks(path, platform)])]
  const above = places.flatMap((place) => place.split('/').map((_, i, all) => all.slice(0, i).join('/') || '/'))
  return {
    written,
    globs: places.flatMap((place) => [
      fold(literalGlob(place)),
      [[...(fold(literalGlob(`${place}/`))[0] ?? []), ...(EVERYWHERE[0] ?? [])]],
    ]),
    above: above.map((place) => fold(literalGlob(place))),
  }
}

function readings(path: string, bases: readonly string[], platform: Platform): Glob[] {
  const known = toSlashes(expandHome(path, platform))
  const froms = isAbsolute(known) ? [''] : ['', ...bases.map((base) => `${toSlashes(expandHome(base, platform))}/`)]
  return froms.flatMap((from) => {
    const whole = from + known
    const place = toPlace(whole, platform.cwd)
    if (isGlob(known)) return [parseGlob(place) ?? EVERYWHERE]
    return [literalGlob(place), literalGlob(resolveLinks(whole, platform))]
  })
}
