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
/** What stands between tokens: white space, quotes, operators, brackets. */
const BETWEEN = /[\s"'`;|&<>()=,{}[\]]/
const IS_BETWEEN = Uint8Array.from({ length: 128 }, (_, code) => (BETWEEN.test(String.fromCharCode(code)) ? 1 : 0))
const UNICODE_SPACE = new Set(
  Array.from('\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff', (c) =>
    c.charCodeAt(0),
  ),
)
const [SPACE, SLASH, DOT, COLON] = [0x20, 0x2f, 0x2e, 0x3a]
const MAX_DECODINGS = 3

/** The text itself first, then every other reading of it, each once. */
export function findSpellings(text: string, platform: Platform): ReadonlySet<string> {
  const all = new Set([text])
  const add = (change: (text: string) => string) => {
    for (const known of [...all]) {
      platform.checkTime?.(known.length)
      all.add(change(known))
    }
  }
  add(fromFileUrl)
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

/** `file://host/path` as its path; a URL's reader drops tabs, line ends and what stands before it. Other text as it is. */
function fromFileUrl(text: string): string {
  const begin = text.slice(0, 64).replace(/[\t\n\r]/g, '')
  return /^[\0- ]*file:/i.test(begin) ? text.replace(/[\t\n\r]/g, '').replace(/^[\0- ]*file:(?:[/\\]{2}[^/\\]*(?=[/\\]))?/i, '') : text
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

/**
 * Parts of a longer text that may be a path of their own; of `scheme:rest` also the rest. One pass, lazy: a text may be
 * all of a message.
 * @param only those with a slash, or that begin with a dot themselves or behind a colon
 */
export function* findTokens(text: string, only: boolean): Generator<string> {
  for (const token of splitTokens(text, only)) {
    yield token
    if (!token.includes(':')) continue
    yield fromFileUrl(token)
    for (let from = 0, to = token.indexOf(':'); from <= token.length; from = to + 1, to = token.indexOf(':', from)) {
      if (to < 0) to = token.length
      yield token.slice(from, to)
    }
  }
}

function* splitTokens(text: string, only: boolean): Generator<string> {
  let start = 0
  let wanted = !only
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : SPACE
    if (code < 128 ? IS_BETWEEN[code] === 1 : UNICODE_SPACE.has(code)) {
      if (wanted && at > start) yield text.slice(start, at)
      start = at + 1
      wanted = !only
    } else if (code === SLASH || (code === DOT && (at === start || text.charCodeAt(at - 1) === COLON))) wanted = true
  }
}
