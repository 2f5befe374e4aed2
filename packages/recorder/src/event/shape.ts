/**
 * From what a caller reports to an event in output order: context filled in, known members checked.
 *
 * Every member of the caller's object is read exactly once. Nothing nested is copied or converted here.
 * Source: docs/format.md (spec events §1, §4; ledger §2.2 reserved names).
 * @module
 */
import { SwornError } from '@sworn/verify'
import { accepts, type Kind, MEMBER_RANKS, type Member } from './members.ts'
import { below } from './pointer.ts'
import { refusalOf } from './schema.ts'
import { deriveSeverity } from './severity.ts'
import type { EventContext } from './types.ts'
import { RESERVED_MEMBERS } from './vocabulary.ts'

/** An event in output order whose known members are valid; nested values are still the caller's. */
export interface ShapedEvent {
  readonly [member: string]: unknown
  readonly event_type: string
  readonly event_id: string
}

export interface Stamp {
  readonly timestamp: string
  readonly eventId: string
}

const RESERVED: ReadonlySet<string> = new Set(RESERVED_MEMBERS)
const UNKNOWN_RANK = MEMBER_RANKS.size
/** What stands where reading a member of the event threw. */
export const UNREADABLE = '[unreadable]'

interface Draft {
  readonly names: string[]
  readonly ranks: number[]
  readonly values: unknown[]
}

/**
 * @param event hostile: any value
 * @param layers contexts, strongest first; the event's own members win over all
 * @throws SwornError EVENT_INVALID with the pointer of the member that is wrong, reserved or missing
 */
export function shapeEvent(event: unknown, layers: readonly EventContext[], stamp: Stamp): ShapedEvent {
  if (typeof event !== 'object' || event === null) throw new SwornError('EVENT_INVALID', 'expected an object')
  const draft: Draft = { names: [], ranks: [], values: [] }
  takeMembers(draft, event, true)
  if (!draft.names.includes('event_type')) throw new SwornError('EVENT_INVALID', 'expected a string', '/event_type')
  for (const layer of layers) takeMembers(draft, layer, false)
  fillIn(draft, stamp)
  const shaped: Record<string, unknown> = {}
  for (let i = 0; i < draft.names.length; i++) setMember(shaped, draft.names[i]!, draft.values[i])
  return shaped as ShapedEvent // event_type was required, event_id is a default
}

/** Checks the members of a context once, when it is made. @throws SwornError EVENT_INVALID */
export function checkContext(context: EventContext): EventContext {
  const draft: Draft = { names: [], ranks: [], values: [] }
  takeMembers(draft, context, true)
  return Object.fromEntries(draft.names.map((name, i) => [name, draft.values[i]]))
}

/** Assigns a data property; `__proto__` is a name like any other. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

const DEFAULTS = (['timestamp', 'severity', 'event_id', 'user_source'] as const).map((name) => ({
  name,
  rank: MEMBER_RANKS.get(name)!.rank,
}))

/** What no layer supplied: the stamp, a severity, and the admission that nobody is named. */
function fillIn(draft: Draft, stamp: Stamp): void {
  for (const { name, rank } of DEFAULTS) {
    if (draft.names.includes(name)) continue
    if (name === 'timestamp') place(draft, name, rank, stamp.timestamp)
    else if (name === 'event_id') place(draft, name, rank, stamp.eventId)
    else if (name === 'severity') place(draft, name, rank, severityOf(draft))
    else if (!draft.names.includes('user')) place(draft, name, rank, 'none')
  }
}

function severityOf({ names, values }: Draft): string {
  const value = (name: string) => values[names.indexOf(name)]
  return deriveSeverity({
    event_type: value('event_type'),
    decision: value('decision'),
    risk_level: value('risk_level'),
    is_error: value('is_error'),
    error: value('error'),
  })
}

function takeMembers(draft: Draft, from: object, checked: boolean): void {
  const fresh = draft.names.length === 0
  for (const name of namesOf(from)) {
    if (!fresh && draft.names.includes(name)) continue
    const known = MEMBER_RANKS.get(name)
    const value = readMember(from, name)
    if (value === undefined || (known && value === null)) continue
    if (checked) checkMember(name, value, known)
    place(draft, name, known ? known.rank : UNKNOWN_RANK, value)
  }
}

function checkMember(name: string, value: unknown, known: Member | undefined): void {
  if (!known && RESERVED.has(name)) throw new SwornError('EVENT_INVALID', 'a name that only the ledger writes', below('', name))
  if (known && !isAccepted(known.kind, value)) throw refusalOf(name, value)
}

function isAccepted(kind: Kind, value: unknown): boolean {
  try {
    return accepts(kind, value)
  } catch {
    return false // a getter of a sub-member threw
  }
}

function namesOf(from: object): readonly string[] {
  try {
    return Object.keys(from)
  } catch {
    throw new SwornError('EVENT_INVALID', 'an object whose members cannot be listed')
  }
}

function readMember(from: object, name: string): unknown {
  try {
    return (from as Record<string, unknown>)[name] // an own key of an object
  } catch {
    return UNREADABLE
  }
}

/** Keeps the draft sorted by rank; members of equal rank stay in the order of arrival. */
function place(draft: Draft, name: string, rank: number, value: unknown): void {
  const { names, ranks, values } = draft
  let i = names.length
  while (i > 0 && ranks[i - 1]! > rank) {
    names[i] = names[i - 1]!
    ranks[i] = ranks[i - 1]!
    values[i] = values[i - 1]
    i--
  }
  names[i] = name
  ranks[i] = rank
  values[i] = value
}
