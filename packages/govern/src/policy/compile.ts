/**
 * A checked document to what the gate works with: names normalised, patterns compiled, limits in numbers.
 * @module
 */
import { SwornError } from '@sworn/recorder'
import { compileDlp, type DlpReader } from '../dlp/compile.ts'
import { SIZE } from '../dlp/schema.ts'
import { compileServer } from '../http/rules.ts'
import { compileIdentity } from '../identity/rules.ts'
import { normalizeName } from '../names.ts'
import { compilePattern, type Pattern } from '../pattern.ts'
import type { Profile } from '../profiles.ts'
import { isToolGlob, parseToolGlob } from '../tool-globs.ts'
import { type PolicyDocument, RATE, type RuleDocument } from './schema.ts'
import type { Policy, Rate, ToolRule } from './types.ts'
import type { Source } from './yaml.ts'

type Compiled = Omit<Policy, 'profile' | 'file' | 'hash' | 'warnings'>
type Path = readonly PropertyKey[]

interface Reader {
  readonly profile: Profile
  refuse(message: string, path: Path): SwornError
}

const PERIOD_MS = { s: 1000, m: 60_000, h: 3_600_000 } as const
const BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const

/** @throws SwornError POLICY_INVALID for patterns that do not compile and, in `strict`, for what reads two ways */
export function compilePolicy({ metadata, spec }: PolicyDocument, source: Source, profile: Profile): Compiled {
  const reader: Reader = { profile, refuse: (message, path) => new SwornError('POLICY_INVALID', message, source.place(path)) }
  const dlp = spec.dlp?.enabled ? compileDlp(spec.dlp, toDlpReader(reader)) : undefined
  const at = (section: string) => (message: string, member: string) => reader.refuse(message, ['spec', section, ...member.split('.')])
  const identity = spec.identity && compileIdentity(spec.identity, metadata.name, at('identity'))
  const server = spec.server && compileServer(spec.server, spec.identity, profile, at('server'))
  const methods = spec.allowed_methods && nameSet(spec.allowed_methods, 'allowed_methods', reader)
  return {
    name: metadata.name,
    ...(metadata.version === undefined ? {} : { version: String(metadata.version) }),
    mode: spec.mode,
    allowedTools: nameSet(spec.allowed_tools ?? [], 'allowed_tools', reader),
    ...compileDenied(spec.denied_tools ?? [], reader),
    rules: compileRules(spec.tool_rules ?? [], reader),
    ...(methods && { allowedMethods: methods }),
    deniedMethods: nameSet(spec.denied_methods ?? [], 'denied_methods', reader),
    protectedPaths: spec.protected_paths ?? [],
    strictArgsDefault: spec.strict_args_default,
    ...(dlp && { dlp }),
    ...(identity && { identity }),
    ...(server && { server }),
  }
}

function nameSet(names: readonly string[], key: string, reader: Reader): ReadonlySet<string> {
  return new Set(names.map((name, index) => readName(name, ['spec', key, index], reader)))
}

/** Names and, in `strict`, globs over names. */
function compileDenied(names: readonly string[], reader: Reader): Pick<Policy, 'deniedTools' | 'deniedToolGlobs'> {
  const read = names.map((name, index) => readName(name, ['spec', 'denied_tools', index], reader))
  const isGlob = (name: string) => reader.profile === 'strict' && isToolGlob(name)
  const deniedToolGlobs = read.filter(isGlob).map((name) => {
    const glob = parseToolGlob(name)
    if (!glob) throw reader.refuse('a shorter pattern was expected', ['spec', 'denied_tools', read.indexOf(name)])
    return glob
  })
  return { deniedTools: new Set(read.filter((name) => !isGlob(name))), deniedToolGlobs }
}

/** A name that normalises to nothing, or that looks like a glob, would guard nothing. */
function readName(name: string, path: Path, { profile, refuse }: Reader): string {
  const normal = normalizeName(name, profile)
  if (profile === 'aip-compat') return normal
  if (normal === '') throw refuse('a visible name was expected', path)
  const matched = path[1] === 'denied_tools' || (normal === '*' && path[1] === 'allowed_methods')
  if (!matched && isToolGlob(normal)) throw refuse('an exact name was expected: patterns in names are matched in denied_tools only', path)
  return normal
}

function compileRules(rules: readonly RuleDocument[], reader: Reader): ReadonlyMap<string, ToolRule> {
  const compiled = new Map<string, ToolRule>()
  for (const [index, rule] of rules.entries()) {
    const path = ['spec', 'tool_rules', index]
    const tool = readName(rule.tool, [...path, 'tool'], reader)
    const first = compiled.get(tool)
    if (first && reader.profile === 'strict')
      throw reader.refuse(`one rule per tool was expected, see tool_rules.${first.index}`, [...path, 'tool'])
    compiled.set(tool, compileRule(rule, tool, index, reader))
  }
  return compiled
}

function compileRule(rule: RuleDocument, tool: string, index: number, reader: Reader): ToolRule {
  const entries = Object.entries(rule.allow_args ?? {})
  return {
    index,
    tool,
    action: rule.action,
    ...(rule.rate_limit === undefined ? {} : { rate: parseRate(rule.rate_limit) }),
    ...(rule.schema_hash === undefined ? {} : { schemaHash: rule.schema_hash.toLowerCase() }),
    ...(rule.strict_args === undefined ? {} : { strictArgs: rule.strict_args }),
    allowArgs: new Map(entries.map(([arg, text]) => [arg, readPattern(text, ['spec', 'tool_rules', index, 'allow_args', arg], reader)])),
  }
}

function readPattern(text: string, path: Path, { refuse }: Reader): Pattern {
  const compiled = compilePattern(text)
  if (typeof compiled === 'string') throw refuse(compiled, path)
  return compiled
}

function toDlpReader(reader: Reader): DlpReader {
  const pattern = (text: string, path: Path) => readPattern(text, path, reader)
  return { strict: reader.profile === 'strict', pattern, chars: parseSize, refuse: reader.refuse }
}

/** `N/unit`, which the schema has already checked. */
function parseRate(text: string): Rate {
  const [, limit = '', unit = ''] = RATE.exec(text) ?? []
  return { limit: Number(limit), perMs: PERIOD_MS[unit[0] as keyof typeof PERIOD_MS] } // s…, m… or h…: the schema's pattern
}

function parseSize(text: string): number {
  const [, count = '', unit = 'b'] = SIZE.exec(text) ?? []
  return Number(count) * BYTES[unit.toLowerCase() as keyof typeof BYTES] // b, kb, mb or gb: the schema's pattern
}
