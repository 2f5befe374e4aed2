/**
 * Reads a policy: YAML text to a compiled `Policy`, or an error that says where and why.
 *
 * Nothing is ignored in silence: what this version cannot obey is refused. Whoever cannot load a named
 * policy blocks everything (`blockingGate`). Source: spec policy §6.1, §6.2.
 * @module
 */
import { didYouMean, SwornError } from '@sworn/recorder'
import type { z } from 'zod'
import type { Profile } from '../profiles.ts'
import { hashPolicy } from './canonical.ts'
import { compilePolicy } from './compile.ts'
import { ABSENT, KEYS, type PolicyDocument, policySchema } from './schema.ts'
import type { Policy } from './types.ts'
import { parseYaml, type Source } from './yaml.ts'

type Issue = z.core.$ZodIssue
type Json = Record<string, unknown>

/**
 * @param source `text` as read, at most 1 MiB characters; `name` the file name for messages
 * @param options.profile `strict` unless told otherwise
 * @throws SwornError POLICY_INVALID at `name:line:column path`
 */
export function loadPolicy(source: { text: string; name: string }, options: { profile?: Profile } = {}): Policy {
  const profile = options.profile ?? 'strict'
  const parsed = parseYaml(source.text, source.name)
  if (!isObject(parsed.value)) throw new SwornError('POLICY_INVALID', 'an AgentPolicy was expected', `${source.name}:1:1`)
  const warnings: string[] = []
  const document = profile === 'strict' ? checkShape(parsed.value, parsed) : readLeniently(parsed.value, parsed, warnings)
  return {
    ...compilePolicy(document, parsed, profile),
    profile,
    file: source.name,
    hash: hashPolicy(parsed.value),
    warnings,
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkShape(value: unknown, source: Source): PolicyDocument {
  const result = policySchema.safeParse(value)
  if (result.success) return result.data
  throw toError(result.error.issues[0]!, source)
}

/** AIP's reference ignores unknown keys and nulls. What it promises and does not do is refused all the same. */
function readLeniently(value: Json, source: Source, warnings: string[]): PolicyDocument {
  const copy = withoutNulls(value)
  const result = policySchema.safeParse(copy)
  for (const issue of result.error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue
    for (const key of issue.keys) {
      if (isAbsent(issue.path, key)) throw toError(issue, source)
      warnings.push(`unknown key ${quote(key)} is ignored (at ${source.place([...issue.path, key])})`)
      dropMember(copy, issue.path, key)
    }
  }
  return checkShape(copy, source)
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  )
}

function dropMember(root: unknown, path: readonly PropertyKey[], key: string): void {
  const parent = path.reduce<unknown>((value, step) => (value as Json)[step as string], root) // zod names members that exist
  delete (parent as Json)[key]
}

const rulePath = (path: readonly PropertyKey[]) => path.filter((step) => typeof step === 'string').join('.')
const isAbsent = (path: readonly PropertyKey[], key: string) => ABSENT.has(rulePath([...path, key]))
const quote = (key: string) => JSON.stringify(key.slice(0, 64))

function toError(issue: Issue, source: Source): SwornError {
  if (issue.code !== 'unrecognized_keys') return new SwornError('POLICY_INVALID', toMessage(issue), source.place(issue.path))
  const key = issue.keys.find((name) => isAbsent(issue.path, name)) ?? issue.keys[0]!
  const message = isAbsent(issue.path, key)
    ? `${key} is set, but this version does not act on it`
    : `unknown key ${quote(key)}${didYouMean(key, KEYS[rulePath(issue.path)] ?? [])}`
  return new SwornError('POLICY_INVALID', message, source.place([...issue.path, key]))
}

/** What was expected; zod's own texts could quote the value. */
function toMessage(issue: Issue): string {
  if (issue.code === 'invalid_type') return `${issue.expected} was expected`
  if (issue.code === 'invalid_value') return `${issue.values.map(String).join(' or ')} was expected`
  if (issue.code === 'too_small') return `at least ${issue.minimum} was expected`
  if (issue.code === 'too_big') return `at most ${issue.maximum} was expected`
  if (issue.code === 'invalid_format') return `a value of the form ${formOf(issue.path)} was expected`
  return 'another shape was expected'
}

function formOf(path: readonly PropertyKey[]): string {
  return path.at(-1) === 'rate_limit' ? 'N/second, N/minute or N/hour' : 'N, NKB, NMB or NGB'
}
