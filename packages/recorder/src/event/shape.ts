/**
 * From what a caller reports to an event in output order: context filled in, known members checked.
 *
 * Every member of the caller's object is read exactly once. Nothing nested is copied or converted here.
 * Source: docs/format.md (spec events §1, §4; ledger §2.2 reserved names).
 * @module
 */
import { SwornError } from '@sworn/verify'
import { type Kind, RESERVED_MEMBERS } from '@sworn/verify/events'
import { type Blank, createBlanks, NAMES, setRank } from './blanks.ts'
import { MAX_STRING_CHARS } from './bounds.ts'
import { accepts, MEMBER_RANKS } from './members.ts'
import { below } from './pointer.ts'
import { refusalOf } from './refusal.ts'
import { deriveSeverity } from './severity.ts'
import type { EventContext } from './types.ts'

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
const rankOf = (name: string) => MEMBER_RANKS.get(name)!.rank // names of the table
const RANK = {
  timestamp: rankOf('timestamp'),
  event_type: rankOf('event_type'),
  severity: rankOf('severity'),
  decision: rankOf('decision'),
  user: rankOf('user'),
  event_id: rankOf('event_id'),
  user_source: rankOf('user_source'),
  risk_level: rankOf('risk_level'),
  is_error: rankOf('is_error'),
  error: rankOf('error'),
  result: rankOf('result'),
  result_hash: rankOf('result_hash'),
  result_bytes: rankOf('result_bytes'),
}
/** What stands where reading a member of the event threw. */
export const UNREADABLE = '[unreadable]'

/** The members that were taken: known ones by rank, the others in the order of arrival. */
interface Draft {
  readonly known: unknown[]
  readonly names: string[]
  readonly values: unknown[]
  /** One bit a rank that is set: which blank fits. */
  low: number
  high: number
}

/** What a short text as result is described with, so that it need not be described once it is printed. */
export interface TextResults {
  /** Longer ones are cut, and described where that is done. */
  readonly resultChars: number
  /** A keyed hash, or undefined without a key. */
  readonly hash: (text: string) => string | undefined
}

/** Event, contexts (strongest first; the event's own members win over all) and stamp -> the shaped event. */
export type Shaper = (event: unknown, layers: readonly EventContext[], stamp: Stamp) => ShapedEvent

/**
 * A function that shapes events. `event` is hostile: any value.
 *
 * It keeps a blank of each set of members that it met: an object whose members are there already, in order,
 * is filled and printed several times faster than one that grows. Throws SwornError EVENT_INVALID with the
 * pointer of the member that is wrong, reserved or missing.
 */
export function createShaper(results?: TextResults): Shaper {
  const blankOf = createBlanks()
  return (event, layers, stamp) => {
    if (typeof event !== 'object' || event === null) throw new SwornError('EVENT_INVALID', 'expected an object')
    const draft = emptyDraft()
    takeMembers(draft, event, true)
    if (draft.known[RANK.event_type] === undefined) throw new SwornError('EVENT_INVALID', 'expected a string', '/event_type')
    for (const layer of layers) takeMembers(draft, layer, false)
    fillIn(draft, stamp)
    if (results) describeText(draft, results)
    return fill(blankOf(draft.low, draft.high), draft)
  }
}

/** Shapes one event; see `createShaper`. @throws SwornError EVENT_INVALID */
export const shapeEvent: Shaper = (event, layers, stamp) => createShaper()(event, layers, stamp)

function fill({ members, ranks }: Blank, { known, names, values }: Draft): ShapedEvent {
  const shaped: Record<string, unknown> = { ...members }
  for (const rank of ranks) shaped[NAMES[rank]!] = known[rank]
  for (let i = 0; i < names.length; i++) setMember(shaped, names[i]!, values[i])
  return shaped as ShapedEvent // event_type was required, event_id is a default
}

/** A function that checks the members of a context once, when it is made. It throws SwornError EVENT_INVALID. */
export function createContextCheck(): (context: EventContext) => EventContext {
  const blankOf = createBlanks()
  return (context) => {
    const draft = emptyDraft()
    takeMembers(draft, context, true)
    return fill(blankOf(draft.low, draft.high), draft) as EventContext // its members were checked
  }
}

/** Assigns a data property; `__proto__` is a name like any other. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

function emptyDraft(): Draft {
  return { known: Array<unknown>(NAMES.length).fill(undefined), names: [], values: [], low: 0, high: 0 }
}

/** What no layer supplied: the stamp, a severity, and the admission that nobody is named. */
function fillIn(draft: Draft, stamp: Stamp): void {
  const { known } = draft
  if (known[RANK.timestamp] === undefined) place(draft, RANK.timestamp, stamp.timestamp)
  if (known[RANK.event_id] === undefined) place(draft, RANK.event_id, stamp.eventId)
  if (known[RANK.severity] === undefined) place(draft, RANK.severity, severityOf(known))
  if (known[RANK.user_source] === undefined && known[RANK.user] === undefined) place(draft, RANK.user_source, 'none')
}

/** Size and hash of a result that is recorded as it stands. */
function describeText(draft: Draft, { resultChars, hash }: TextResults): void {
  const { known } = draft
  const text = known[RANK.result]
  if (typeof text !== 'string' || text.length > Math.min(resultChars, MAX_STRING_CHARS) || !text.isWellFormed()) return
  const digest = known[RANK.result_hash] ?? hash(text)
  if (digest === undefined) return
  place(draft, RANK.result_hash, digest)
  if (known[RANK.result_bytes] === undefined) place(draft, RANK.result_bytes, Buffer.byteLength(text))
}

function severityOf(known: readonly unknown[]): string {
  return deriveSeverity({
    event_type: known[RANK.event_type],
    decision: known[RANK.decision],
    risk_level: known[RANK.risk_level],
    is_error: known[RANK.is_error],
    error: known[RANK.error],
  })
}

function takeMembers(draft: Draft, from: object, checked: boolean): void {
  const named = draft.known[RANK.user] !== undefined // how another layer's user is known says nothing of this one
  for (const name of namesOf(from)) {
    const member = MEMBER_RANKS.get(name)
    if (named && member?.rank === RANK.user_source) continue
    if (member === undefined) takeUnknown(draft, from, name, checked)
    else if (draft.known[member.rank] === undefined) {
      const value = readMember(from, name)
      if (value === undefined || value === null) continue
      if (checked && !isAccepted(member.kind, value)) throw refusalOf(name, value)
      place(draft, member.rank, value)
    }
  }
}

function takeUnknown({ names, values }: Draft, from: object, name: string, checked: boolean): void {
  if (names.includes(name)) return
  const value = readMember(from, name)
  if (value === undefined) return
  if (checked && RESERVED.has(name)) throw new SwornError('EVENT_INVALID', 'a name that only the ledger writes', below('', name))
  names.push(name)
  values.push(value)
}

function place(draft: Draft, rank: number, value: unknown): void {
  draft.known[rank] = value
  setRank(draft, rank)
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
