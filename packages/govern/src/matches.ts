/** Where a compiled pattern matches. Loads no engine: whoever has a pattern has it already. @module */
import type { Pattern } from './pattern.ts'

/** Matches of at least one character, leftmost first. The caller bounds how many it takes. */
export function* findMatches(pattern: Pattern, text: string): Generator<readonly [start: number, end: number]> {
  const matcher = pattern.matcher(text)
  while (matcher.find()) if (matcher.end() > matcher.start()) yield [matcher.start(), matcher.end()]
}
