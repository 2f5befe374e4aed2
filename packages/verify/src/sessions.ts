/**
 * Whether sessions are whole: session_seq runs from 0 without a gap up to a session_end that counts them.
 *
 * The numbers lie inside hashed lines, so an export of one session shows its completeness without the others.
 * Memory is bounded: beyond 10,000 sessions the ended ones are forgotten first, then further ones
 * are counted as untracked and completeness is not claimed.
 * @module
 */
import type { JsonObject } from './json.ts'

const MAX_SESSIONS = 10_000

export interface SessionCount {
  /** Contiguous from 0 to their session_end. */
  complete: number
  /** Contiguous so far, without session_end. */
  open: number
  /** Records came behind a session_end: complete up to that, not beyond. */
  reopened: number
  /** A number is missing, doubled or miscounted. */
  broken: number
  untracked: number
}

export interface Sessions {
  /** Looks at one parsed payload; those without session_seq say nothing. */
  see(payload: JsonObject): void
  /** Every session as it stands; undefined when there are more than are kept in mind. */
  stretches(): readonly Stretch[] | undefined
  /** True when `add` would have the result of the records themselves. */
  hasRoomFor(stretches: readonly Stretch[]): boolean
  /** Takes what other records, which follow on those that were seen, say of their sessions. */
  add(stretches: readonly Stretch[]): void
  count(): SessionCount
}

type Fate = 'complete' | 'open' | 'reopened' | 'broken'
interface Session {
  readonly first: number
  next: number
  fate: Fate
}

/** The records of one session that follow on each other in a part of a log. Plain data. */
export interface Stretch {
  readonly id: string
  /** session_seq of the first, and of the last + 1. */
  readonly first: number
  readonly next: number
  /** As if the session began with the first. */
  readonly fate: Fate
}

/** @param midway the stream starts behind the log's first entry, where sessions may be under way */
export function createSessions(midway: boolean): Sessions {
  const sessions = new Map<string, Session>()
  const forgotten: Record<Fate, number> = { complete: 0, open: 0, reopened: 0, broken: 0 }
  let untracked = 0
  const begin = (id: string, first: number): Session | undefined => {
    if (sessions.size >= MAX_SESSIONS) forgetEnded(sessions, forgotten)
    if (sessions.size >= MAX_SESSIONS) {
      untracked += 1
      return undefined
    }
    const session: Session = { first, next: midway ? first : 0, fate: 'open' }
    sessions.set(id, session)
    return session
  }
  return {
    see(payload) {
      const { session_id: id, session_seq: seq } = payload
      if (typeof id !== 'string' || typeof seq !== 'number') return
      const session = sessions.get(id) ?? begin(id, seq)
      if (session) advance(session, seq, payload)
    },
    stretches() {
      const whole = untracked === 0 && Object.values(forgotten).every((count) => count === 0)
      return whole ? Array.from(sessions, ([id, session]) => ({ id, ...session })) : undefined
    },
    hasRoomFor: (stretches) => sessions.size + stretches.filter(({ id }) => !sessions.has(id)).length <= MAX_SESSIONS,
    add(stretches) {
      for (const stretch of stretches) {
        const session = sessions.get(stretch.id) ?? begin(stretch.id, stretch.first)
        if (session) append(session, stretch)
      }
    },
    count() {
      const count = { ...forgotten, untracked }
      for (const { fate } of sessions.values()) count[fate] += 1
      return count
    },
  }
}

function advance(session: Session, seq: number, payload: JsonObject): void {
  if (session.fate === 'broken') return
  if (seq !== session.next) session.fate = 'broken'
  else if (payload.event_type === 'session_end') session.fate = endCount(payload) === seq + 1 ? 'complete' : 'broken'
  else if (session.fate === 'complete') session.fate = 'reopened'
  session.next = seq + 1
}

function append(session: Session, { first, next, fate }: Stretch): void {
  if (session.fate === 'broken') return
  if (first !== session.next) session.fate = 'broken'
  else if (fate !== 'open') session.fate = fate
  else if (session.fate === 'complete') session.fate = 'reopened'
  session.next = next
}

/** metadata.count of a session_end. */
function endCount(payload: JsonObject): unknown {
  const { metadata } = payload
  return typeof metadata === 'object' && metadata !== null && 'count' in metadata ? metadata.count : undefined
}

function forgetEnded(sessions: Map<string, Session>, forgotten: Record<Fate, number>): void {
  for (const [id, { fate }] of sessions) {
    if (fate === 'open') continue
    forgotten[fate] += 1
    sessions.delete(id)
  }
}
