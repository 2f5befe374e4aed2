/** What is built in as one source: one prefilter for all of its rules. @module */
import { createScanner } from '@sworn/recorder'
import type { DlpRule, Source } from './rules.ts'
import { detectorsOf } from './scanner.ts'

/** @param rules names that the scanner has */
export function builtinSource(rules: readonly DlpRule[]): Source {
  const scanner = createScanner([], { patterns: [], detectors: rules.flatMap(({ name }) => detectorsOf(name)) })
  const byName = new Map(rules.map((rule) => [rule.name, rule]))
  return {
    rules,
    find: (text) => scanner.find(text).map(({ start, end, pattern }) => ({ start, end, rule: byName.get(pattern)! })), // of names that it was given
  }
}
