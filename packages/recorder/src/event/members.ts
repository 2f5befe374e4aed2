/**
 * What the recorder does with each member of an event: its place, whether it is scanned, whether a value is accepted.
 * Source: docs/format.md (spec events §1, §6).
 * @module
 */
import { EVENT_MEMBERS, type Kind, MAX_ID_CHARS, TIME, UUID7 } from '@sworn/verify/events'

/** Members below which key rules apply; to the named members themselves they never do. */
export const FREE_MEMBERS: ReadonlySet<string> = new Set(['arguments', 'result', 'error', 'metadata'])

/** Known members whose text is scanned for value patterns besides the free ones. */
export const SCANNED_TEXTS: ReadonlySet<string> = new Set(['reason', 'target', 'human_decision'])

export interface Member {
  readonly rank: number
  readonly kind: Kind
}

/** name -> rank and kind; a name that is not here is unknown. */
export const MEMBER_RANKS: ReadonlyMap<string, Member> = new Map(
  Object.entries(EVENT_MEMBERS).map(([name, kind], rank) => [name, { rank, kind }]),
)

const isString = (value: unknown): value is string => typeof value === 'string'

/** True when `value` has the shape and the bounds of `kind`. Reads each sub-member once; may throw what a getter throws. */
export function accepts(kind: Kind, value: unknown): boolean {
  if (kind === 'id') return isString(value) && value.length <= MAX_ID_CHARS
  if (kind === 'json') return true
  if (kind === 'text') return isString(value)
  if (typeof kind !== 'string')
    return Array.isArray(kind) ? kind.includes(value) : acceptsMembers(kind as { [member: string]: Kind }, value)
  switch (kind) {
    case 'number':
      return Number.isFinite(value)
    case 'count':
      return Number.isSafeInteger(value) && Number(value) >= 0
    case 'integer':
      return Number.isSafeInteger(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'rpc_id':
      return (isString(value) && value.length <= MAX_ID_CHARS) || Number.isFinite(value)
    case 'uuid7':
      return isString(value) && UUID7.test(value)
    case 'time':
      return isString(value) && TIME.test(value)
    case 'event_type':
      return isString(value) && isEventType(value)
  }
}

/** True for a word that a caller may use as event_type: 1-128 characters, not `log.…`. */
export function isEventType(value: string): boolean {
  return value.length > 0 && value.length <= 128 && !value.startsWith('log.')
}

function acceptsMembers(kinds: { readonly [member: string]: Kind }, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const name of Object.keys(kinds)) {
    const member = (value as Record<string, unknown>)[name] // an object: checked above
    if (member !== undefined && !accepts(kinds[name]!, member)) return false
  }
  return true
}
