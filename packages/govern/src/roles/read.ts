/**
 * One file of users and roles: text to a checked document, or an error that says where and why.
 *
 * Hostile input; nothing is ignored in silence, and no message quotes a value.
 * @module
 */
import { didYouMean, SwornError } from '@sworn/recorder'
import type { z } from 'zod'
import { parseYaml, type Source } from '../policy/yaml.ts'
import { ABSENT, ELSEWHERE, KEYS, type RolesDocument, rolesSchema } from './schema.ts'

type Issue = z.core.$ZodIssue
type Json = Record<string, unknown>

export interface ReadFile {
  readonly document: RolesDocument
  readonly source: Source
  readonly warnings: readonly string[]
}

/** @throws SwornError POLICY_INVALID at `name:line:column path` */
export function readRolesFile(text: string, name: string): ReadFile {
  const source = parseYaml(text, name)
  const { value } = source
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SwornError('POLICY_INVALID', 'users or roles were expected', `${name}:1:1`)
  const { rest, warnings } = withoutOthers(value as Json, source) // an object, checked above
  const result = rolesSchema.safeParse(rest)
  if (!result.success) throw toError(result.error.issues[0]!, source)
  return { document: result.data, source, warnings }
}

function withoutOthers(value: Json, source: Source): { rest: Json; warnings: string[] } {
  const warnings: string[] = []
  const rest = structuredClone(value)
  for (const path of ELSEWHERE) {
    const steps = path.split('.')
    const last = steps.pop()!
    const parent = steps.reduce<unknown>((at, step) => (typeof at === 'object' && at !== null ? (at as Json)[step] : undefined), rest)
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, last)) continue
    delete (parent as Json)[last]
    warnings.push(`${path} is not read here (at ${source.place(path.split('.'))})`)
  }
  return { rest, warnings }
}

/** `roles.analyst.budgets` as `roles.*.budgets`. */
function rulePath(path: readonly PropertyKey[]): string {
  const steps = path.filter((step) => typeof step === 'string')
  return steps.map((step, i) => (i === 1 && /^(roles|users|command_tools)$/.test(steps[0] ?? '') ? '*' : step)).join('.')
}

function toError(issue: Issue, source: Source): SwornError {
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0]! : undefined
  const path = key === undefined ? issue.path : [...issue.path, key]
  const inner = issue.code === 'invalid_union' ? innermost(issue) : undefined
  if (inner) return toError({ ...inner, path: [...issue.path, ...inner.path] }, source)
  if (key === undefined) return new SwornError('POLICY_INVALID', toMessage(issue), source.place(path))
  const message = ABSENT.has(rulePath(path))
    ? `${key} is set, but this version does not act on it`
    : `unknown key ${JSON.stringify(key.slice(0, 64))}${didYouMean(key, KEYS[rulePath(issue.path)] ?? [])}`
  return new SwornError('POLICY_INVALID', message, source.place(path))
}

/** Of several shapes the one that came furthest. */
function innermost({ errors }: Extract<Issue, { code: 'invalid_union' }>): Issue | undefined {
  const deep = errors.flat().filter(({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'invalid_key')
  return deep.toSorted((a, b) => b.path.length - a.path.length)[0]
}

function toMessage(issue: Issue): string {
  if (issue.code === 'invalid_type') return `${issue.expected} was expected`
  if (issue.code === 'invalid_value') return `${issue.values.map(String).join(' or ')} was expected`
  if (issue.code === 'invalid_union') return 'an amount, or unlimited, was expected'
  if (issue.code === 'invalid_key') return 'one of the known names was expected'
  if (issue.code === 'too_small') return `at least ${issue.minimum} was expected`
  if (issue.code === 'too_big') return `at most ${issue.maximum} was expected`
  return 'another shape was expected'
}
