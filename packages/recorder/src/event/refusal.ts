/**
 * Why a known member of an event is refused: what was expected, and where. Never the value.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { EVENT_MEMBERS, type Kind, MAX_ID_CHARS } from '@sworn/verify/events'
import { accepts } from './members.ts'
import { below } from './pointer.ts'

/** What each kind of member expects, in words. */
export const EXPECTED: { readonly [K in Exclude<Kind, object>]: string } = {
  id: `expected a string of at most ${MAX_ID_CHARS} characters`,
  text: 'expected string',
  number: 'expected a finite number',
  count: 'expected a whole number of 0 or more',
  integer: 'expected a whole number',
  flag: 'expected boolean',
  json: 'expected any JSON value',
  rpc_id: `expected a number, or a string of at most ${MAX_ID_CHARS} characters`,
  uuid7: 'a lowercase UUIDv7 was expected',
  time: 'RFC 3339 UTC with milliseconds and Z was expected',
  event_type: 'expected a string of 1 to 128 characters; types that start with "log." belong to the ledger',
}

/**
 * The refusal for a known member that does not fit: what was expected, and its pointer.
 * @param name a member of the table
 */
export function refusalOf(name: string, value: unknown): SwornError {
  const kind = EVENT_MEMBERS[name]!
  const at = below('', name)
  const parts = isParts(kind) ? kind : undefined
  if (!parts || typeof value !== 'object' || value === null || Array.isArray(value))
    return new SwornError('EVENT_INVALID', expect(kind), at)
  const wrong = Object.keys(parts).find((part) => !fits(parts[part]!, value, part))
  return wrong === undefined
    ? new SwornError('EVENT_INVALID', expect(kind), at)
    : new SwornError('EVENT_INVALID', expect(parts[wrong]!), below(at, wrong))
}

function isParts(kind: Kind): kind is { readonly [member: string]: Kind } {
  return typeof kind !== 'string' && !Array.isArray(kind)
}

function fits(kind: Kind, object: object, part: string): boolean {
  try {
    const value = (object as Record<string, unknown>)[part] // an object: its members are unknown
    return value === undefined || accepts(kind, value)
  } catch {
    return false // a getter threw
  }
}

function expect(kind: Kind): string {
  if (typeof kind === 'string') return EXPECTED[kind]
  return Array.isArray(kind) ? `expected one of ${kind.join(', ')}` : 'expected object'
}
