/**
 * What no command may write: the ledger, its keys, the policy, the configuration.
 *
 * Finds what the path guard cannot see in a text: files that a shell's glob would name, folders above that a command
 * moves or deletes, places below a folder that it enters first. A target that is known only when the command runs
 * (`> $X`) may be anything: about that a person is asked.
 * @module
 */
import { belowGlob, EVERYWHERE, foldGlob, type Glob, isGlob, literalGlob, mayMeet, parseGlob } from './globs.ts'
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
  findWritten(command: CommandPaths, disk: Platform): string | undefined
  /** The first target whose name the text does not tell; undefined where nothing is protected. */
  findOpen(targets: readonly string[], disk: Platform): string | undefined
}

/** A variable, or what a command prints. */
const OPEN = /[$`]|[<>]\(/

interface Target {
  readonly written: string
  readonly globs: readonly Glob[]
  readonly above: readonly Glob[]
}

export function createSelfGuard(selfProtected: readonly string[], platform: Platform): SelfGuard {
  const fold = (glob: Glob) => (platform.caseInsensitive ? foldGlob(glob) : glob)
  const targets = selfProtected.map((written) => toTarget(written, platform, fold))
  return {
    findWritten({ paths, bases, takesAll }, disk) {
      const globs = paths.flatMap((path) => readings(path, bases, disk)).map(fold)
      const names = ({ globs: own, above }: Target) => {
        disk.checkTime?.()
        return globs.some((glob) => own.some((one) => mayMeet(one, glob)) || (takesAll && above.some((one) => mayMeet(one, glob))))
      }
      return targets.find(names)?.written
    },
    findOpen: (paths, disk) => (targets.length > 0 ? paths.find((path) => OPEN.test(expandHome(path, disk))) : undefined),
  }
}

function toTarget(written: string, platform: Platform, fold: (glob: Glob) => Glob): Target {
  const path = toSlashes(expandHome(written, platform))
  const places = [...new Set([toPlace(path, platform.cwd), resolveLinks(path, platform)])]
  const above = places.flatMap((place) => place.split('/').map((_, i, all) => all.slice(0, i).join('/') || '/'))
  return {
    written,
    globs: places.flatMap((place) => [fold(literalGlob(place)), fold(belowGlob(place))]),
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
