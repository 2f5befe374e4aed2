/**
 * Path globs, compared with paths and with other globs: may both name one place?
 *
 * `*` and `?` stay within a segment, `**` does not, `{a,b}` and `[a-z]` as in a shell, dots are no exception. Two
 * globs are compared without a disk, in time proportional to the product of their lengths.
 * @module
 */

/** One character or a run of them. `set` is what a bracket holds; `any` stays within a segment, `run` too, `all` does not. */
type Token = string | { readonly kind: 'any' | 'run' | 'all' } | { readonly kind: 'set'; readonly has: (character: string) => boolean }

/** One alternative, with what is looked for first: by that most texts are told apart. */
interface Shape {
  /** A text is one where all its characters are ASCII. */
  readonly tokens: ArrayLike<Token>
  /** How many stand before the first that leaves something open; of a place all. */
  readonly fixed: number
  /** The characters of these. */
  readonly head: string
  /** The longest run of characters behind them. */
  readonly needle: string
}

/** Alternatives; a place fits when it fits one of them. */
export type Glob = readonly Shape[]

const ANY = { kind: 'any' } as const
const RUN = { kind: 'run' } as const
const ALL = { kind: 'all' } as const
const MAX_ALTERNATIVES = 64

/** @returns undefined when there are more than 64 alternatives */
export function parseGlob(text: string): Glob | undefined {
  let found = [text]
  for (const expand of [expandBraces, expandDirectories]) {
    found = expand(found)
    if (found.length > MAX_ALTERNATIVES) return undefined
  }
  return found.map((one) => toShape(toTokens(one)))
}

/** The glob of one place, every character itself. */
export function literalGlob(place: string): Glob {
  const tokens = isAscii(place) ? place : [...place]
  return [{ tokens, fixed: tokens.length, head: place, needle: '' }]
}

/** What lies below one place. */
export function belowGlob(place: string): Glob {
  return [toShape([...place, '/', ALL])]
}

/** The same glob for texts in lower case. */
export function foldGlob(glob: Glob): Glob {
  return glob.flatMap((shape) => (isPlace(shape) ? literalGlob(foldText(shape.head)) : toShape(Array.from(shape.tokens, foldToken))))
}

function foldToken(token: Token): Token {
  if (typeof token === 'string') return foldCharacter(token)
  if (token.kind !== 'set') return token
  return { kind: 'set', has: (character) => token.has(character) || token.has(character.toUpperCase()) }
}

function foldText(text: string): string {
  return isAscii(text) ? text.toLowerCase() : Array.from(text, foldCharacter).join('')
}

/** One character stays one: the lower case of U+0130 alone would be two. */
function foldCharacter(character: string): string {
  return character === '\u0130' ? 'i' : character.toLowerCase()
}

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text)
const isPlace = ({ tokens, fixed }: Shape): boolean => tokens.length === fixed

function toShape(tokens: readonly Token[]): Shape {
  const runs = ['']
  for (const token of tokens) {
    if (typeof token === 'string') runs.push(runs.pop() + token)
    else runs.push('')
  }
  const [head = '', ...rest] = runs
  const fixed = tokens.findIndex((token) => typeof token !== 'string')
  const needle = rest.reduce((longest, run) => (run.length > longest.length ? run : longest), '')
  return { tokens, fixed: fixed < 0 ? tokens.length : fixed, head, needle }
}

/** Any place at all. */
export const EVERYWHERE: Glob = [toShape([ALL])]

/** True when there is a place that both name. */
export function mayMeet(a: Glob, b: Glob): boolean {
  return a.some((one) => b.some((other) => shapesMeet(one, other)))
}

function shapesMeet(one: Shape, other: Shape): boolean {
  if (isPlace(other)) return fitsPlace(one, other)
  return isPlace(one) ? fitsPlace(other, one) : tokensMeet(one.tokens, other.tokens, 0)
}

/** What is fixed is searched as text; only the rest is walked. */
function fitsPlace({ tokens, fixed, head, needle }: Shape, { tokens: characters, head: place }: Shape): boolean {
  if (!place.startsWith(head) || !place.includes(needle, head.length)) return false
  if (fixed === tokens.length) return fixed === characters.length
  return (fixed === tokens.length - 1 && tokens[fixed] === ALL) || tokensMeet(tokens, characters, fixed)
}

/** True when the text is more than a name: a shell would look for files that fit. */
export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text)
}

function expandBraces(texts: readonly string[]): string[] {
  const done: string[] = []
  const open = [...texts]
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const found = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(text)
    if (!found) done.push(text)
    else for (const choice of found[2]!.split(',')) open.push(found[1]! + choice + found[3]!)
    if (open.length + done.length > MAX_ALTERNATIVES) return Array(MAX_ALTERNATIVES + 1).fill('')
  }
  return done
}

/** A folder glob also names what is directly there: `a/**` names `a`, and `**` before a name may be nothing. */
function expandDirectories(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    const whole = text.endsWith('/**') ? [text, text.slice(0, -3) || '/'] : [text]
    return whole.flatMap((one) => {
      const parts = one.split('/**/')
      let found = [parts[0]!]
      for (const part of parts.slice(1)) {
        found = found.flatMap((before) => [`${before}/${part}`, `${before}/**/${part}`])
        if (found.length > MAX_ALTERNATIVES) break
      }
      return found
    })
  })
}

function toTokens(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    const set = character === '[' ? parseSet(text, at) : undefined
    if (set) {
      tokens.push(set.token)
      at = set.end
    } else if (character === '*') {
      const double = text[at + 1] === '*'
      if (double) at++
      tokens.push(double ? ALL : RUN)
    } else if (character === '?') tokens.push(ANY)
    else if (character === '\\' && at + 1 < text.length) tokens.push(text[++at]!)
    else tokens.push(character)
  }
  return tokens
}

function parseSet(text: string, at: number): { token: Token; end: number } | undefined {
  const end = text.indexOf(']', at + 2)
  if (end < 0) return undefined
  const negated = /[!^]/.test(text[at + 1]!)
  const inner = text.slice(negated ? at + 2 : at + 1, end)
  const holds = (character: string) => {
    for (let i = 0; i < inner.length; i++) {
      if (inner[i + 1] === '-' && inner[i + 2] !== undefined) {
        if (character >= inner[i]! && character <= inner[i + 2]!) return true
        i += 2
      } else if (inner[i] === character) return true
    }
    return inner.includes('[:') // a class like [:alpha:] may hold anything
  }
  return { token: { kind: 'set', has: (character) => character !== '/' && holds(character) !== (negated && !inner.includes('[:')) }, end }
}

const isRun = (token: Token | undefined): boolean => typeof token === 'object' && (token.kind === 'run' || token.kind === 'all')

/** Walks both at once, `from` on in each; each pair of positions is looked at once. */
function tokensMeet(a: ArrayLike<Token>, b: ArrayLike<Token>, from: number): boolean {
  const width = b.length - from + 1
  const seen = new Uint8Array((a.length - from + 1) * width)
  const open = [0]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen[at]) continue
    seen[at] = 1
    const [i, j] = [from + Math.floor(at / width), from + (at % width)]
    if (i === a.length && j === b.length) return true
    const one: Token | undefined = a[i]
    const other: Token | undefined = b[j]
    if (isRun(one)) open.push(at + width)
    if (isRun(other)) open.push(at + 1)
    if (one === undefined || other === undefined) continue
    if (isRun(one) && !isRun(other) && mayBeSame(one, other)) open.push(at + 1)
    if (isRun(other) && !isRun(one) && mayBeSame(one, other)) open.push(at + width)
    if (!isRun(one) && !isRun(other) && mayBeSame(one, other)) open.push(at + width + 1)
  }
  return false
}

/** Whether one character fits both. */
function mayBeSame(a: Token, b: Token): boolean {
  if (typeof a === 'string') return fits(b, a)
  if (typeof b === 'string') return fits(a, b)
  return true // two that leave open what they are
}

function fits(token: Token, character: string): boolean {
  if (typeof token === 'string') return token === character
  if (token.kind === 'set') return token.has(character)
  return token.kind === 'all' || character !== '/'
}
