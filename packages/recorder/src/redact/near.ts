/**
 * Second looks at a literal hit: cheap, bounded, and never wrong about absence.
 *
 * Each answers "may the pattern or key rule match here?" from at most a few hundred characters, or from a stretch that
 * is read once, in text and in JSON text alike; when the stretch is too short to know, the answer is yes.
 * @module
 */

const REACH = 256

const isLower = (code: number) => code >= 97 && code <= 122
const isUpper = (code: number) => code >= 65 && code <= 90
const isDigit = (code: number) => code >= 48 && code <= 57
const isAlnum = (code: number) => isLower(code) || isUpper(code) || isDigit(code)

const isWord = (code: number) => isAlnum(code) || code === 95

/** `:` or `=` */
const isSeparator = (code: number) => code === 58 || code === 61

/** Blanks, quotes, `/`, `<`, `>`. */
const ENDS_AUTHORITY: ReadonlySet<number> = new Set([9, 10, 11, 12, 13, 32, 34, 39, 47, 60, 62])

/** For `://`: is there an `@` before the authority ends? */
export function hasUserInfo(text: string, _start: number, end: number): boolean {
  for (let i = end; i < end + REACH; i++) {
    const code = text.charCodeAt(i)
    if (code === 64) return true
    if (Number.isNaN(code) || ENDS_AUTHORITY.has(code)) return false
  }
  return true
}

/** For a hyphen between digits: has it the places of a social security number? */
export function looksLikeSsn(text: string, start: number): boolean {
  return digitsAt(text, start - 2, 3) && text[start + 4] === '-' && digitsAt(text, start + 2, 2) && digitsAt(text, start + 5, 4)
}

/** For a space or hyphen between digits: do groups of the length of a card's begin before it? */
export function looksLikeCard(text: string, start: number): boolean {
  return digitsAt(text, start - 3, 4) && (isGrouped(text, start + 1, [4, 4, 4]) || isGrouped(text, start + 1, [6, 5]))
}

/** For a run of digits: does it stand by itself, and not within a name or a hexadecimal number? */
export function standsAlone(text: string, start: number, end: number): boolean {
  if (isWord(text.charCodeAt(end))) return false
  return !isWord(text.charCodeAt(start - 1)) || text[start - 2] === '\\' || text[start - 6] === '\\' // the end of an escape
}

/** At least `count` characters of `set` come next. JSON text prints them as they are. */
export function followedBy(set: RegExp, count: number): (text: string, start: number, end: number) => boolean {
  const allowed = Uint8Array.from({ length: 128 }, (_, code) => (set.test(String.fromCharCode(code)) ? 1 : 0))
  return (text, _start, end) => {
    for (let i = end; i < end + count; i++) if (allowed[text.charCodeAt(i)] !== 1) return false
    return true
  }
}

/** `words` stands within the next `reach` characters. */
export function followedWithin(words: string, reach: number): (text: string, start: number, end: number) => boolean {
  return (text, _start, end) => text.slice(end, end + reach).includes(words)
}

function isGrouped(text: string, from: number, groups: readonly number[]): boolean {
  let at = from
  for (const size of groups) {
    if ((text[at] !== '-' && text[at] !== ' ') || !digitsAt(text, at + 1, size)) return false
    at += 1 + size
  }
  return true
}

function digitsAt(text: string, at: number, count: number): boolean {
  for (let i = at; i < at + count; i++) if (!isDigit(text.charCodeAt(i))) return false
  return true
}

/** For the first word of a key rule: the other words follow, and then a `:` or `=`, as after a key. */
export function keyFollows(rest: readonly string[], isSeparated: SeparatorLook): (text: string, start: number, end: number) => boolean {
  return (text, start, end) => {
    if (isLower(text.charCodeAt(start)) && isLower(text.charCodeAt(start - 1))) return false
    let at = end
    for (const word of rest) {
      const next = skipToWord(text, at)
      if (next - at > REACH) return true
      at = next
      if (text.slice(at, at + word.length).toLowerCase() !== word) return false
      at += word.length
    }
    return !isLower(text.charCodeAt(at)) && isSeparated(text, at)
  }
}

/** The place of the next letter or digit; further than REACH when that is not near. */
function skipToWord(text: string, from: number): number {
  let at = from
  while (at < text.length && at - from <= REACH && !isAlnum(text.charCodeAt(at))) at++
  return at
}

/** Does a `:` or `=` come before the string ends? */
export type SeparatorLook = (text: string, from: number) => boolean

/** Remembers the last stretch that it read: a text full of keys is read once, not once a key. */
export function createSeparatorLook(): SeparatorLook {
  let [read, begin, end] = ['', 0, 0]
  return (text, from) => {
    if (text !== read || from < begin || from > end) [begin, end] = [from, endOfSearch(text, from)]
    read = text // the same object: two equal texts are compared once
    return isSeparator(text.charCodeAt(end))
  }
}

/** The place of the first `:` or `=`, or of the quote that ends the string before, or the end of the text. */
function endOfSearch(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isSeparator(code)) return i
    if (code === 92) i++
    else if (code === 34 && /[,}\]]/.test(text[i + 1] ?? '')) return i
  }
  return text.length
}
