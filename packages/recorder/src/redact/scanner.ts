/**
 * The scanner: one literal prefilter, then only the detectors whose literal occurs, then keys in text.
 *
 * The table of patterns is built in; whoever opens a recorder may bring more detectors and a name for the whole.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { findAssignments } from './assignments.ts'
import { withoutEscapes } from './escapes.ts'
import { createLiteralScan, type Literal } from './literals.ts'
import { createSeparatorLook, keyFollows, type SeparatorLook } from './near.ts'
import { PATTERNS, type Pattern } from './patterns.ts'
import type { Detector, Scanner, Span } from './types.ts'
import { createKeyRules, splitWords } from './words.ts'

const KEYS = ' keys'

export interface ScannerOptions {
  /** Names from the table; the usual ones when absent. */
  readonly patterns?: readonly string[]
  /** Looked for under the same prefilter. */
  readonly detectors?: readonly Detector[]
}

/**
 * @param keys names whose values are secret
 * @throws SwornError CONFIG_INVALID for a pattern that the table does not have
 */
export function createScanner(keys: readonly string[], { patterns, detectors = [] }: ScannerOptions = {}): Scanner {
  const own = patterns ? patterns.map(patternOf) : PATTERNS.filter(({ usual }) => usual !== false)
  const all = [...own.map(toDetector), ...detectors]
  const rules = createKeyRules(keys)
  const isSeparated = createSeparatorLook()
  const scan = createLiteralScan([...all.flatMap(literalsOf), ...keys.flatMap((key) => keyLiterals(key, isSeparated))])
  const bare = all.filter(({ literals }) => literals.length === 0)
  const shortKeys = keys.some((key) => (splitWords(key)[0] ?? '').length < 3)
  const anyBare = (text: string) => bare.some(({ mayFind }) => mayFind?.(text) ?? true)
  return {
    mayMatch: (text) => shortKeys || scan(text, () => true) || anyBare(text),
    find(text) {
      const owners = new Set<string>()
      scan(text, (owner) => owners.add(owner).size > all.length, owners)
      const plain = owners.size > 0 ? withoutEscapes(text) : text
      const spans = all.flatMap((one) => (one.literals.length === 0 || owners.has(one.name) ? findIn(one, text, plain) : []))
      return owners.has(KEYS) || shortKeys ? [...spans, ...findAssignments(text, rules)] : spans
    },
  }
}

/** What a detector finds in the text, and beside escapes: there a token's edge shows only when they are blanked. */
function findIn(one: Detector, text: string, plain: string): readonly Span[] {
  const spans = one.find(text)
  if (plain === text) return spans
  const isKnown = ({ start, end }: Span) => spans.some((span) => span.start <= start && end <= span.end)
  return [...spans, ...one.find(plain).filter((span) => !isKnown(span))]
}

/** The detectors of the table by name. @throws SwornError CONFIG_INVALID for a name it does not have */
export function tableDetector(name: string): Detector {
  return toDetector(patternOf(name))
}

/** What a row of a table of patterns finds. */
export function toDetector(pattern: Pattern): Detector {
  return { name: pattern.name, literals: pattern.literals, find: (text) => findPattern(pattern, text) }
}

function patternOf(name: string): Pattern {
  const found = PATTERNS.find((pattern) => pattern.name === name)
  if (!found)
    throw new SwornError('CONFIG_INVALID', `unknown pattern, expected one of ${PATTERNS.map((p) => p.name).join(', ')}`, 'audit.redact')
  return found
}

function literalsOf({ name, literals }: Detector): readonly Literal[] {
  return literals.map((literal) => ({ ...literal, owner: name }))
}

function keyLiterals(key: string, isSeparated: SeparatorLook): readonly Literal[] {
  const [first, ...rest] = splitWords(key)
  return first && first.length >= 3 ? [{ text: first, anyCase: true, owner: KEYS, near: keyFollows(rest, isSeparated) }] : []
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
