/**
 * What a role adds: argument patterns that are blocked, and ones that are allowed. Blocked wins.
 *
 * A pattern is words separated by spaces. In a word `*` stands for any characters; a last word `**` for any
 * further arguments. It is matched word by word, after quotes are removed, on the program's name without its folder.
 * @module
 */
import type { Arg } from './types.ts'

type Match = 'yes' | 'maybe' | 'no'

/** Whether these arguments fit the pattern: `maybe` when that is known only at run time. */
export function matchPattern(pattern: string, name: string, args: readonly Arg[]): Match {
  const words = pattern.split(/\s+/).filter((word) => word !== '')
  const open = words.at(-1) === '**'
  const fixed = open ? words.slice(0, -1) : words
  if (fixed.length === 0 && !open) return 'no'
  let result: Match = 'yes'
  for (const [i, word] of fixed.entries()) {
    const arg = args[i]
    if (i > 0 && arg === undefined) return 'no'
    if (arg && !arg.exact) {
      result = 'maybe'
      if (arg.splits) return result
    } else if (!matchWord(word, i === 0 ? name : arg!.value)) return 'no'
  }
  if (args.slice(fixed.length).some((arg) => !arg.exact && arg.splits)) return open ? result : 'maybe'
  return open || args.length === fixed.length ? result : 'no'
}

export function isWildcard(pattern: string): boolean {
  return pattern.includes('*')
}

/** Linear: the pieces between stars are searched one after the other, first fit. */
function matchWord(pattern: string, value: string): boolean {
  const pieces = pattern.split('*')
  const [first, last] = [pieces[0]!, pieces.at(-1)!]
  if (pieces.length === 1) return pattern === value
  if (!value.startsWith(first) || value.length < first.length + last.length || !value.endsWith(last)) return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = value.indexOf(piece, at)
    if (found < 0 || found + piece.length > value.length - last.length) return false
    at = found + piece.length
  }
  return true
}
