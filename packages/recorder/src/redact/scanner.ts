/**
 * The built-in scanner: literal prefilter, then only the patterns whose literal occurs, then keys in text.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { findAssignments } from './assignments.ts'
import { createLiteralScan, type Literal } from './literals.ts'
import { keyFollows } from './near.ts'
import { PATTERNS, type Pattern } from './patterns.ts'
import type { Scanner, Span } from './types.ts'
import { createKeyRules, splitWords } from './words.ts'

const KEYS = ' keys'

/**
 * @param keys names whose values are secret
 * @param patterns names from the table; the usual ones when absent
 * @throws SwornError CONFIG_INVALID for a pattern that the table does not have
 */
export function createScanner(keys: readonly string[], patterns?: readonly string[]): Scanner {
  const chosen = patterns ? patterns.map(patternOf) : PATTERNS.filter(({ usual }) => usual !== false)
  const rules = createKeyRules(keys)
  const scan = createLiteralScan([...chosen.flatMap(literalsOf), ...keys.flatMap(keyLiterals)])
  const always = chosen.filter(({ literals }) => literals.length === 0)
  const anyText = always.length > 0 || keys.some((key) => (splitWords(key)[0] ?? '').length < 3)
  return {
    mayMatch: (text) => anyText || scan(text, () => true),
    find(text) {
      const owners = new Set<string>()
      scan(text, (owner) => owners.add(owner).size > chosen.length, owners)
      const spans = chosen.filter((p) => p.literals.length === 0 || owners.has(p.name)).flatMap((p) => findPattern(p, text))
      return owners.has(KEYS) || anyText ? [...spans, ...findAssignments(text, rules)] : spans
    },
  }
}

function patternOf(name: string): Pattern {
  const found = PATTERNS.find((pattern) => pattern.name === name)
  if (!found)
    throw new SwornError('CONFIG_INVALID', `unknown pattern, expected one of ${PATTERNS.map((p) => p.name).join(', ')}`, 'audit.redact')
  return found
}

function literalsOf({ name, literals }: Pattern): readonly Literal[] {
  return literals.map((literal) => ({ ...literal, owner: name }))
}

function keyLiterals(key: string): readonly Literal[] {
  const [first, ...rest] = splitWords(key)
  return first && first.length >= 3 ? [{ text: first, anyCase: true, owner: KEYS, near: keyFollows(rest) }] : []
}

/** All matches of one pattern; of a group named `secret` only that group. */
function findPattern({ name, expression, check }: Pattern, text: string): readonly Span[] {
  const spans: Span[] = []
  for (const match of text.matchAll(expression)) {
    const secret = match.groups?.secret ?? match[0]
    if (secret.startsWith('[REDACTED:') || (check && !check(secret))) continue
    const start = match.index + match[0].lastIndexOf(secret)
    spans.push({ start, end: start + secret.length, pattern: name })
  }
  return spans
}
