/**
 * Patterns written by users: RE2 syntax on re2js, so a single search is linear whatever they wrote.
 * @module
 */
import { RE2JS } from 're2js'

export type Pattern = RE2JS

export const MAX_PATTERN_CHARS = 1000

/** The compiled pattern, or in words why there is none; the words never quote the pattern. */
export function compilePattern(source: string): Pattern | string {
  if (source.length > MAX_PATTERN_CHARS) return `a pattern of at most ${MAX_PATTERN_CHARS} characters was expected`
  try {
    return RE2JS.compile(source)
  } catch (e) {
    return `not a pattern in RE2 syntax${reasonOf(e)}`
  }
}

/** re2js keeps the reason apart from the pattern; other engines' errors say nothing safe. */
function reasonOf(e: unknown): string {
  const reason = e instanceof Error && 'error' in e && typeof e.error === 'string' ? e.error : ''
  return reason ? ` (${reason})` : ''
}
