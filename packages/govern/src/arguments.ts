/**
 * Argument rules: which arguments a call must have, what they must match, and which it may not have.
 *
 * Arguments are hostile: only own members count, every value has a text form, nothing throws for JSON.
 * Source: spec policy §6.2 steps 7 and 8.
 * @module
 */
import type { ToolRule } from './policy/types.ts'
import type { Profile } from './profiles.ts'

/** What is wrong with one call's arguments. `arg` is a name from the policy, never one the caller sent. */
export interface ArgumentFault {
  readonly code: 'argument_mismatch' | 'argument_undeclared'
  readonly reason: string
  readonly arg?: string
  readonly pattern?: string
}

/** Longest text that a pattern is tried on, in UTF-16 units: a search cannot be stopped, and takes up to 150 ms for a million. */
const MAX_MATCHED = 4_194_304

/**
 * The first constrained argument that is missing, does not match, or is too long to be matched.
 * @param checkTime asked before each pattern; throws when the time of the judgement is over
 */
export function findMismatch(rule: ToolRule, input: unknown, profile: Profile, checkTime?: () => void): ArgumentFault | undefined {
  for (const [arg, pattern] of rule.allowArgs) {
    const fault = { code: 'argument_mismatch', arg, pattern: pattern.pattern() } as const
    const value = memberOf(input, arg)
    if (value === undefined) return { ...fault, reason: 'a constrained argument is missing' }
    const text = toText(value, profile)
    if (text.length > MAX_MATCHED) return { ...fault, reason: 'an argument is too long to be matched' }
    checkTime?.()
    const matches = profile === 'strict' ? pattern.matches(text) : pattern.matcher(text).find()
    if (!matches) return { ...fault, reason: 'an argument does not match its pattern' }
  }
  return undefined
}

/** An argument that the rule does not declare, where undeclared ones are forbidden. */
export function findUndeclared(
  rule: ToolRule | undefined,
  strictDefault: boolean,
  input: unknown,
  profile: Profile,
): ArgumentFault | undefined {
  if (!(rule?.strictArgs ?? strictDefault)) return undefined
  if (profile === 'aip-compat' && !rule?.allowArgs.size) return undefined // the reference looks only beside allow_args
  const fault = { code: 'argument_undeclared', reason: 'an undeclared argument is present' } as const
  if (input === undefined || input === null) return undefined
  if (typeof input !== 'object' || Array.isArray(input)) return fault
  return Object.keys(input).every((key) => rule?.allowArgs.has(key)) ? undefined : fault
}

function memberOf(input: unknown, name: string): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
  return Object.hasOwn(input, name) ? (input as Record<string, unknown>)[name] : undefined // an object that is no list
}

/** The text that a pattern sees: strings as they are, null empty, numbers without exponent, the rest as JSON. */
export function toText(value: unknown, profile: Profile): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return toDecimal(value)
  if (typeof value !== 'object') return String(value)
  return profile === 'strict' ? (JSON.stringify(value) ?? '') : toGoJson(value)
}

/** The shortest decimal that reads back as the same number, as Go's FormatFloat(f, 'f', -1) prints it. */
function toDecimal(value: number): string {
  const [mantissa = '', exponent] = String(value).split('e')
  if (exponent === undefined) return mantissa
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const point = whole.length + Number(exponent)
  const digits = whole + fraction
  const sign = value < 0 ? '-' : ''
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.padEnd(point, '0')}` // an exponent of 21 and more has no digits after the point
}

/** encoding/json of Go: sorted members; `<`, `>`, `&`, U+2028 and U+2029 escaped. */
function toGoJson(value: unknown): string {
  const sorted = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
  return sorted.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
