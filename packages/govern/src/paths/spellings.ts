/**
 * The ways in which one text may spell a path, and the tokens of it that may be paths.
 *
 * Hostile input; linear. BUG: globs (`~/.s?h`), variables other than the home directory and command
 * substitution are not expanded; a tool that runs a shell can reach any path. Way out: do not allow it.
 * @module
 */
import { type Platform, toSlashes } from './place.ts'

const HOME = /\$HOME(?![A-Za-z0-9_])|\$\{HOME[^}\n]{0,64}\}|\$env:(?:HOME|USERPROFILE)(?![A-Za-z0-9_])|%(?:HOME|USERPROFILE|HOMEPATH)%/gi
const TILDE = /(?<![^\s"'`;|&<>()=,:{}[\]])~(\+?[A-Za-z0-9._-]{0,64})(?=[/\\]|$|[\s"'`;|&<>()=,:{}[\]])/g
const BETWEEN = /[\s"'`;|&<>()=,{}[\]]+/
const MAX_DECODINGS = 3

/** The text itself first, then every other reading of it, each once. */
export function findSpellings(text: string, platform: Platform): ReadonlySet<string> {
  const all = new Set([text])
  const add = (change: (text: string) => string) => {
    for (const known of [...all]) all.add(change(known))
  }
  if (text.includes('%')) add(decodePercent)
  if (!isAscii(text)) add((known) => known.normalize('NFKC'))
  if (text.includes('\0')) add((known) => known.slice(0, known.indexOf('\0') >>> 0))
  if (/[$~%]/.test(text)) add((known) => expandHome(known, platform))
  if (/["'`\\]/.test(text)) {
    add(toSlashes)
    add((known) => known.replace(/["'`\\]/g, '')) // as a shell would read it
  }
  return all
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

/** Three times: `%252e` is `%2e` is `.`; triplets beyond ASCII stay. */
function decodePercent(text: string): string {
  let current = text
  for (let round = 0; round < MAX_DECODINGS && current.includes('%'); round++) {
    current = current.replace(/%([0-7][0-9A-Fa-f])/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return current
}

/** `$HOME`, `${HOME}`, `%USERPROFILE%`, `$env:HOME`, `~` and `~user` of the user whose home it is. */
export function expandHome(text: string, { home }: Platform): string {
  const user = home.slice(home.lastIndexOf('/') + 1)
  const expanded = text.replace(HOME, () => home)
  return expanded.replace(TILDE, (all, name: string) => (name === '' || name === user ? home : all))
}

/** Parts of a longer text that may be a path of their own; of `scheme:rest` also the rest. */
export function findTokens(text: string): string[] {
  return text.split(BETWEEN).flatMap((token) => (token.includes(':') ? [token, ...token.split(':')] : [token]))
}
