/**
 * The walk: key rules, path rules and value patterns over a sanitised value. Total; keeps the shape.
 * Source: docs/format.md (spec events §6).
 * @module
 */
import type { JsonValue } from '../event/sanitize.ts'
import { setMember } from '../event/shape.ts'
import { maskText } from './mask.ts'
import { MARKER, markerOf, type PathRule, type Scanner } from './types.ts'
import type { KeyRules } from './words.ts'

export interface Walker {
  readonly rules: KeyRules
  readonly scanners: readonly Scanner[]
  readonly paths: readonly PathRule[]
  /** A keyed hash, or undefined without a key. */
  readonly hash: (value: JsonValue) => string | undefined
  /** What stands for a value that the other rules have gone over. */
  readonly commit: (value: JsonValue, path: readonly string[], rule: PathRule) => JsonValue
  /** true when the time for this event is used up. */
  readonly late: () => boolean
}

const MAX_DEPTH = 128
const MAX_JSON_TEXT_CHARS = 262_144

/** @param path where `value` stands; @param keyed false where key rules do not apply (the members of §1) */
export function walkValue(walker: Walker, value: JsonValue, path: readonly string[], keyed: boolean, rule?: string): JsonValue {
  const ruled = ruleAt(walker.paths, path)
  if (ruled) return applyRule(walker, value, path, { ruled, keyed, rule })
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return rule === undefined ? value : markerOf(rule)
  if (typeof value === 'string') return walkText(walker, value, path, keyed, rule)
  if (path.length > MAX_DEPTH) return markerOf('depth')
  if (Array.isArray(value)) return value.map((item: JsonValue, i) => walkValue(walker, item, [...path, String(i)], keyed, rule))
  return walkMembers(walker, value as { readonly [member: string]: JsonValue }, path, keyed, rule) // not an array: an object
}

function walkMembers(
  walker: Walker,
  object: { readonly [member: string]: JsonValue },
  path: readonly string[],
  keyed: boolean,
  rule?: string,
): JsonValue {
  const out: Record<string, JsonValue> = {}
  for (const name of Object.keys(object)) {
    const own = rule ?? (keyed ? walker.rules(name) : undefined)
    setMember(out, nameOf(walker, name, out), walkValue(walker, object[name]!, [...path, name], keyed, own))
  }
  return out
}

/** A member name that is itself a secret is masked too. */
function nameOf(walker: Walker, name: string, taken: object): string {
  if (name.length < 8) return name
  const masked = mask(walker, name)
  return masked === name || !Object.hasOwn(taken, masked) ? masked : `${masked}~${Object.keys(taken).length}`
}

function walkText(walker: Walker, text: string, path: readonly string[], keyed: boolean, rule?: string): string {
  if (rule !== undefined) return MARKER.test(text) ? text : markerOf(rule)
  return mask(walker, keyed ? walkJsonText(walker, text, path) : text)
}

function mask(walker: Walker, text: string): string {
  if (!walker.scanners.some((scanner) => scanner.mayMatch(text))) return text
  return walker.late() ? markerOf('time_limit') : maskText(text, walker.scanners)
}

/** JSON inside a string: its keys are judged too. Rewritten only when something was masked. */
function walkJsonText(walker: Walker, text: string, path: readonly string[]): string {
  if (!/^\s*[{[]/.test(text) || text.length > MAX_JSON_TEXT_CHARS || path.length > MAX_DEPTH - 32) return text
  try {
    const parsed: JsonValue = JSON.parse(text)
    const before = JSON.stringify(parsed)
    const after = JSON.stringify(walkValue({ ...walker, paths: [] }, parsed, [...path, ...Array<string>(32).fill('')], true))
    return before === after ? text : after
  } catch {
    return text // not JSON, or nested beyond the stack: the patterns still look at it
  }
}

/** The rule for exactly this place. */
export function ruleAt(paths: readonly PathRule[], path: readonly string[]): PathRule | undefined {
  return paths.find(({ segments }) => segments.length === path.length && segments.every((s, i) => s === '*' || s === path[i]))
}

interface Ruled {
  readonly ruled: PathRule
  readonly keyed: boolean
  /** The key rule in force there. */
  readonly rule: string | undefined
}

function applyRule(walker: Walker, value: JsonValue, path: readonly string[], { ruled, keyed, rule }: Ruled): JsonValue {
  const { action } = ruled
  if (value === null || (typeof value === 'string' && (MARKER.test(value) || /^hmac-sha256:[0-9a-f]{64}$/.test(value)))) return value
  const inside = { ...walker, paths: [] }
  if (action === 'mask') return walkValue(inside, value, path, true, 'path')
  if (action === 'commit') return walker.commit(walkValue(inside, value, path, keyed, rule), path, ruled) // secrets enter no vault
  return (action === 'hash' ? walker.hash(value) : undefined) ?? markerOf(action)
}
