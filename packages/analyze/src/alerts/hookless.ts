/**
 * Sessions of coding agents that their telemetry tells of and no hook, for the rules that look for them.
 *
 * A session waits from the first call that its telemetry tells of; a hook of it, before or within the window, ends that for
 * good. What was found waits anew from the next call on: the cool-down keeps it quiet. Bounded: of MAX_SESSIONS for each
 * window the one not met for the longest time is forgotten. Source: actions/silent.ts.
 * @module
 */
import { MAX_SESSIONS, type Telling, tellingOf } from '../actions/index.ts'
import type { Entry } from '../reading/entry.ts'
import { createLine, createLink, type Link } from './line.ts'
import type { FoundUnseen } from './order.ts'

export interface Hookless {
  readonly finding: 'no_hook'
  readonly client: string
  readonly session_id: string
  /** Of the first call that was told of. */
  readonly seq: number
  readonly entry_hash: string
}

/** When a session began to wait, and with which entry. */
interface Waiting {
  readonly since: number
  readonly seq: number
  readonly entry_hash: string
}

/** Plain JSON. */
export interface StoredSession {
  readonly client: string
  readonly session_id: string
  readonly hooked: boolean
  readonly waiting: Waiting | null
}

/** By grace time in milliseconds: its sessions, the one not met for the longest time first. */
export type HooklessState = Readonly<Record<string, readonly StoredSession[]>>

export interface HooklessSessions {
  /** In the order of the ledger. @param newest of event time */
  take(entry: Entry, newest: number): void
  /** What waits for longer than its grace time at `now`. */
  late(now: number): FoundUnseen[]
  state(): HooklessState
}

interface Session {
  readonly client: string
  readonly session_id: string
  hooked: boolean
  waiting: Waiting | null
  readonly met: Link<Session>
  readonly waits: Link<Session>
}

/** Undefined where no rule looks for sessions. @param onForgotten told for each that waited and is let go because there are too many */
export function createHookless(
  windows: readonly number[],
  stored: HooklessState | undefined,
  onForgotten: () => void,
): HooklessSessions | undefined {
  if (windows.length === 0) return undefined
  const followers = [...new Set(windows)].map((windowMs) => ({ windowMs, follower: createFollower(stored?.[windowMs] ?? [], onForgotten) }))
  return {
    take(entry, newest) {
      const telling = tellingOf(entry)
      if (telling) for (const { follower } of followers) follower.add(telling, entry, newest)
    },
    late: (now) =>
      followers.flatMap(({ windowMs, follower }) =>
        follower.late(now - windowMs).map(({ since, what }) => ({ what, windowMs, time: since + windowMs })),
      ),
    state: () => Object.fromEntries(followers.map(({ windowMs, follower }) => [windowMs, follower.stored()])),
  }
}

function createFollower(stored: readonly StoredSession[], onForgotten: () => void) {
  const sessions = new Map<string, Session>()
  const met = createLine<Session>()
  /** Those that wait, the longest first. */
  const line = createLine<Session>()

  function enter(of: StoredSession): Session {
    const session = { ...of } as Session // its links name it: they come next
    Object.assign(session, { met: createLink(session), waits: createLink(session) })
    sessions.set(keyOf(of), session)
    met.join(session.met)
    return session
  }

  function forgetOldest(): void {
    const oldest = met.first!
    sessions.delete(keyOf(oldest))
    met.leave(oldest.met)
    line.leave(oldest.waits)
    if (oldest.waiting) onForgotten()
  }

  function end(session: Session): void {
    session.waiting = null
    line.leave(session.waits)
  }

  const known = stored.map(enter).flatMap((session) => (session.waiting ? [{ session, seq: session.waiting.seq }] : []))
  for (const { session } of known.toSorted((a, b) => a.seq - b.seq)) line.join(session.waits)

  return {
    add({ client, session: id, by }: Telling, { seq, entry_hash: hash }: Entry, time: number): void {
      const of = { client, session_id: id, hooked: false, waiting: null }
      const session = sessions.get(keyOf(of)) ?? enter(of)
      met.join(session.met)
      if (by === 'hook') {
        session.hooked = true
        end(session)
      } else if (!session.hooked && session.waiting === null) {
        session.waiting = { since: time, seq, entry_hash: typeof hash === 'string' ? hash : '' }
        line.join(session.waits)
      }
      if (sessions.size > MAX_SESSIONS) forgetOldest()
    },
    /** What waits since then or before, taken out: in the order of the ledger, up to the first that is younger. */
    late(since: number): { readonly since: number; readonly what: Hookless }[] {
      const found: { readonly since: number; readonly what: Hookless }[] = []
      for (let first = line.first; first?.waiting && first.waiting.since <= since; first = line.first) {
        const { since: began, ...told } = first.waiting
        found.push({ since: began, what: { finding: 'no_hook', client: first.client, session_id: first.session_id, ...told } })
        end(first)
      }
      return found
    },
    stored: (): StoredSession[] =>
      Array.from(met.all(), ({ client, session_id, hooked, waiting }) => ({ client, session_id, hooked, waiting })),
  }
}

function keyOf({ client, session_id: id }: Pick<Session, 'client' | 'session_id'>): string {
  return `${client} ${id}`
}
