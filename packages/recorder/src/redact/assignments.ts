/**
 * Keys inside text: `password='hunter2'`, `"apiKey": "…"`, `DB_TOKEN=…`.
 *
 * A name before `:` or `=` is judged by the key rules; what follows it is the secret. Each name is read once and
 * a matched value is jumped over, so the work is linear.
 * @module
 */
import type { Span } from './types.ts'
import type { KeyRules } from './words.ts'

const NAME = /(?<![\w.-])[A-Za-z_][\w.-]{0,127}(?=\\{0,3}["']?\s{0,8}[:=])/g
const SEPARATOR = /\\{0,3}["']?\s{0,8}[:=]\s{0,8}/y
const VALUE =
  /\\{1,3}"[^"\\]*|"(?:[^"\\]|\\[\s\S])*|'(?:[^'\\]|\\[\s\S])*|(?!null\b|true\b|false\b)(?:(?:Bearer|Basic|Token)[ \t]{1,8})?[^\s"',;&<>(){}[\]]+/iy

/** What the key rules say is secret in `text`, named by its rule. */
export function findAssignments(text: string, rules: KeyRules): readonly Span[] {
  const spans: Span[] = []
  NAME.lastIndex = 0
  for (let match = NAME.exec(text); match; match = NAME.exec(text)) {
    const rule = rules(match[0])
    const span = rule === undefined ? undefined : valueAt(text, match.index + match[0].length, rule)
    if (!span) continue
    spans.push(span)
    NAME.lastIndex = span.end
  }
  return spans
}

function valueAt(text: string, from: number, rule: string): Span | undefined {
  SEPARATOR.lastIndex = from
  if (!SEPARATOR.test(text)) return undefined
  const at = SEPARATOR.lastIndex
  VALUE.lastIndex = at
  const value = VALUE.exec(text)?.[0]
  if (value === undefined) return undefined
  const start = at + /^\\{0,3}["']?/.exec(value)![0].length
  const end = at + value.length
  return start >= end || text.startsWith('[REDACTED:', start) ? undefined : { start, end, pattern: rule }
}
