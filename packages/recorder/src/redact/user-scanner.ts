/** Patterns written by users, on RE2: linear whatever they wrote. Source: re2js, RE2 syntax. @module */
import { SwornError } from '@sworn/verify'
import { RE2JS } from 're2js'
import type { Scanner, Span } from './types.ts'

export interface UserPattern {
  readonly name: string
  /** RE2 syntax, at most 1,000 characters. */
  readonly pattern: string
}

const MAX_PATTERN_CHARS = 1000

/** @throws SwornError CONFIG_INVALID naming the pattern that does not compile, is too long, or matches nothing at all */
export function createUserScanner(patterns: readonly UserPattern[]): Scanner {
  const compiled = patterns.map(({ name, pattern }) => ({ name, expression: compile(name, pattern) }))
  return {
    mayMatch: () => compiled.length > 0,
    find: (text) => compiled.flatMap(({ name, expression }) => findAll(name, expression, text)),
  }
}

function compile(name: string, pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN_CHARS)
    throw new SwornError('CONFIG_INVALID', `longer than ${MAX_PATTERN_CHARS} characters`, `audit.redact.${name}`)
  try {
    return RE2JS.compile(pattern)
  } catch {
    throw new SwornError('CONFIG_INVALID', 'not a pattern in RE2 syntax', `audit.redact.${name}`)
  }
}

function findAll(name: string, expression: RE2JS, text: string): readonly Span[] {
  const spans: Span[] = []
  const matcher = expression.matcher(text)
  while (matcher.find()) {
    if (matcher.end() > matcher.start()) spans.push({ start: matcher.start(), end: matcher.end(), pattern: name })
  }
  return spans
}
