/**
 * Second looks at a literal hit: cheap, bounded, and never wrong about absence.
 *
 * Each answers "may the pattern or key rule match here?" from at most a few hundred characters, in text and in
 * JSON text alike; when the stretch is too short to know, the answer is yes.
 * @module
 */

const REACH = 256

const isLower = (code: number) => code >= 97 && code <= 122
const isUpper = (code: number) => code >= 65 && code <= 90
const isDigit = (code: number) => code >= 48 && code <= 57
const isAlnum = (code: number) => isLower(code) || isUpper(code) || isDigit(code)

/** For `://`: is there an `@` before the authority ends? */
export function hasUserInfo(text: string, _start: number, end: number): boolean {
  for (let i = end; i < end + REACH; i++) {
    const code = text.charCodeAt(i)
    if (code === 64) return true
    if (Number.isNaN(code) || code <= 34 || code === 47 || code === 60 || code === 62) return false
  }
  return true
}

/** A run of digits that has the length and grouping of a card or social security number. */
export function looksLikeNumber(text: string, start: number): boolean {
  if (isDigit(text.charCodeAt(start - 1)) || !digitsAt(text, start, 3)) return false
  let run = 3
  while (run < 20 && isDigit(text.charCodeAt(start + run))) run++
  const separated = text[start + run] === '-' || text[start + run] === ' '
  if (run === 3) return separated && digitsAt(text, start + 4, 2) && digitsAt(text, start + 7, 4)
  if (run === 4) return separated && (isGrouped(text, start + 4, [4, 4, 4]) || isGrouped(text, start + 4, [6, 5]))
  return run >= 13
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
export function keyFollows(rest: readonly string[]): (text: string, start: number, end: number) => boolean {
  return (text, start, end) => {
    if (isLower(text.charCodeAt(start)) && isLower(text.charCodeAt(start - 1))) return false
    let at = end
    for (const word of rest) {
      at = skipToWord(text, at)
      if (text.slice(at, at + word.length).toLowerCase() !== word) return false
      at += word.length
    }
    return !isLower(text.charCodeAt(at)) && separatorFollows(text, at)
  }
}

function skipToWord(text: string, from: number): number {
  let at = from
  while (at < text.length && !isAlnum(text.charCodeAt(at))) at++
  return at - from > REACH ? text.length : at
}

function separatorFollows(text: string, from: number): boolean {
  for (let i = from; i < from + REACH; i++) {
    if (i >= text.length) return false
    const code = text.charCodeAt(i)
    if (code === 58 || code === 61) return true
    if (code === 92) i++
    else if (code === 34 && /[,}\]]/.test(text[i + 1] ?? '')) return false
  }
  return true
}
