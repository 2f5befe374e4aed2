/**
 * The members of an event as readers of events meet them.
 *
 * What comes out of a foreign record is only a member if it fits the table; else it stays foreign.
 * Source: docs/format.md (spec events §1).
 * @module
 */
import type { JsonObject, JsonValue } from '@sworn/verify'
import { EVENT_MEMBERS, type Kind, MAX_ID_CHARS, RESERVED_MEMBERS, TIME, UUID7 } from '@sworn/verify/events'

/** An event, or an entry with what the ledger added; every member is JSON. */
export interface Event {
  readonly event_type: string
  readonly [member: string]: JsonValue | undefined
}

/** Every member, those of objects as `agent.name`. */
export const MEMBER_PLACES: readonly string[] = Object.entries(EVENT_MEMBERS).flatMap(([name, kind]) =>
  typeof kind === 'object' && !isWords(kind) ? Object.keys(kind).map((part) => `${name}.${part}`) : [name],
)

/** member -> the only words it holds, for those that have such a list. */
export const MEMBER_WORDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(EVENT_MEMBERS).flatMap(([name, kind]) => (isWords(kind) ? [[name, kind]] : [])),
)

function isWords(kind: Kind): kind is readonly string[] {
  return Array.isArray(kind)
}

const CHECKS: Readonly<Record<Extract<Kind, string>, (value: JsonValue) => boolean>> = {
  id: (value) => typeof value === 'string' && value.length <= MAX_ID_CHARS,
  text: (value) => typeof value === 'string',
  uuid7: (value) => typeof value === 'string' && UUID7.test(value),
  time: (value) => typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value)),
  number: (value) => typeof value === 'number',
  count: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  integer: (value) => Number.isSafeInteger(value),
  flag: (value) => typeof value === 'boolean',
  json: () => true,
  rpc_id: (value) => typeof value === 'number' || (typeof value === 'string' && value.length <= MAX_ID_CHARS),
  event_type: (value) => typeof value === 'string' && value.length > 0 && value.length <= 128 && !value.startsWith('log.'),
}

/** True when the member may hold `value`; a name of the caller's own may hold anything, a name of the ledger's nothing. */
export function fitsMember(name: string, value: JsonValue): boolean {
  if ((RESERVED_MEMBERS as readonly string[]).includes(name) || value === null) return false
  return !Object.hasOwn(EVENT_MEMBERS, name) || fits(EVENT_MEMBERS[name]!, value)
}

function fits(kind: Kind, value: JsonValue): boolean {
  if (typeof kind === 'string') return CHECKS[kind](value)
  if (isWords(kind)) return typeof value === 'string' && kind.includes(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([name, member]) => !Object.hasOwn(kind, name) || fits(kind[name]!, member))
}

/** The members that are there and fit; the others are left out. */
export function fitMembers(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const kept = Object.entries(members).filter(([name, value]) => value !== undefined && fitsMember(name, value))
  return Object.fromEntries(kept) as JsonObject // undefined was dropped
}
