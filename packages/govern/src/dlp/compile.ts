/** A checked `dlp` section to rules and sources. @module */
import { findMatches } from '../matches.ts'
import type { Pattern } from '../pattern.ts'
import { builtinSource } from './builtin.ts'
import { encodedMarker, marker } from './marker.ts'
import type { DlpRule, DlpRules, Source } from './rules.ts'
import { DLP_GROUPS } from './scanner.ts'
import type { DlpDocument } from './schema.ts'

type Path = readonly PropertyKey[]

export interface DlpReader {
  readonly strict: boolean
  /** @throws SwornError POLICY_INVALID for what is no pattern */
  pattern(text: string, path: Path): Pattern
  chars(size: string): number
  refuse(message: string, path: Path): Error
}

interface Own extends DlpRule {
  readonly pattern: Pattern
}

const AT = ['spec', 'dlp']

/** @throws SwornError POLICY_INVALID for patterns that do not compile and, in `strict`, for those that would never let masking end */
export function compileDlp(dlp: DlpDocument, reader: DlpReader): DlpRules {
  const own = dlp.patterns.map(({ regex, ...rule }, index): Own => {
    return { ...withMask(rule, dlp), pattern: reader.pattern(regex, [...AT, 'patterns', index, 'regex']) }
  })
  const builtin = builtinRules(dlp)
  if (reader.strict) checkPatterns(own, builtin, dlp.detect_encoding, reader)
  return {
    scanRequests: dlp.scan_requests,
    scanResponses: dlp.scan_responses,
    detectEncoding: dlp.detect_encoding,
    filterStderr: dlp.filter_stderr,
    maxScanChars: reader.chars(dlp.max_scan_size),
    maxMs: dlp.max_scan_ms,
    onRequestMatch: dlp.on_request_match,
    onFailure: dlp.on_redaction_failure,
    allow: dlp.allow.map((text, index) => reader.pattern(text, [...AT, 'allow', index])),
    sources: [...own.map(patternSource), ...(builtin.length > 0 ? [builtinSource(builtin)] : [])],
  }
}

type Given = Omit<DlpRule, 'mask' | 'action'> & {
  readonly mask?: DlpRule['mask'] | undefined
  readonly action?: DlpRule['action'] | undefined
}

function withMask({ name, scope, action, mask }: Given, dlp: DlpDocument): DlpRule {
  return { name, scope, mask: mask ?? dlp.mask, ...(action && { action }) }
}

/** Groups as their names; what is named later, or by itself, replaces what a group said before. */
function builtinRules(dlp: DlpDocument): readonly DlpRule[] {
  const rules = new Map<string, DlpRule>()
  for (const entry of dlp.builtin) {
    const rule: Given = typeof entry === 'string' ? { name: entry, scope: 'all' } : entry
    const names = rule.name === 'secrets' || rule.name === 'personal' ? DLP_GROUPS[rule.name] : [rule.name]
    for (const name of names) rules.set(name, withMask({ ...rule, name }, dlp))
  }
  return [...rules.values()]
}

function patternSource({ pattern, ...rule }: Own): Source {
  return {
    rules: [rule],
    *find(text) {
      for (const [start, end] of findMatches(pattern, text)) yield { start, end, rule }
    },
  }
}

/** Masking ends only when no pattern finds anything in what masking writes. */
function checkPatterns(own: readonly Own[], builtin: readonly DlpRule[], encoded: boolean, { refuse }: DlpReader): void {
  const names = new Set(builtin.map(({ name }) => name))
  const markers = [...own, ...builtin].flatMap(({ name }) => (encoded ? [marker(name), encodedMarker(name)] : [marker(name)]))
  for (const [index, { name, pattern }] of own.entries()) {
    const path = [...AT, 'patterns', index]
    if (names.has(name)) throw refuse('a name that no other pattern has was expected', [...path, 'name'])
    names.add(name)
    if (pattern.matcher('').find()) throw refuse('a pattern that does not match empty text was expected', [...path, 'regex'])
    if (markers.some((text) => pattern.matcher(text).find())) throw refuse('the pattern matches a redaction marker', [...path, 'regex'])
  }
}
