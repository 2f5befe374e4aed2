/**
 * Counters: `session_seq` per session, `producer_seq` per producer.
 *
 * Contiguous over all processes of a session: only the appender counts. Kept in `index/sessions`,
 * written at each checkpoint; later lines are read again on open.
 * BUG: the sessions used longest ago are forgotten beyond 100,000; a record that comes for one of
 * them starts again at 0, and verification reports that session as incomplete.
 * @module
 */
const MAX_SESSIONS = 100_000
const MAX_PRODUCERS = 100_000

interface Session {
  next: number
  /** Milliseconds of the last record. */
  lastAt: number
  ended: boolean
}

/** Counters as they were when the log had `size` records. */
export interface SessionsSnapshot {
  readonly size: number
  readonly sessions: readonly (readonly [id: string, next: number, lastAt: number, ended: boolean])[]
  readonly producers: readonly (readonly [id: string, next: number])[]
}

export interface Sessions {
  /** The number the next record of this session will carry. */
  next(sessionId: string): number
  nextOfProducer(producerId: string): number
  /** A record was linked. */
  note(record: { sessionId?: string; sessionSeq?: number; producerId?: string; producerSeq?: number; ends: boolean; at: number }): void
  /** Open sessions without a record since `before`. */
  idle(before: number): readonly string[]
  /** Milliseconds of the oldest last record of an open session. */
  oldest(): number | undefined
  snapshot(size: number): SessionsSnapshot
}

export function createSessions(from?: SessionsSnapshot): Sessions {
  const sessions = new Map<string, Session>(from?.sessions.map(([id, next, lastAt, ended]) => [id, { next, lastAt, ended }]))
  const producers = new Map<string, number>(from?.producers)
  return {
    next: (sessionId) => sessions.get(sessionId)?.next ?? 0,
    nextOfProducer: (producerId) => producers.get(producerId) ?? 0,
    note(record) {
      if (record.producerId !== undefined && record.producerSeq !== undefined) {
        touch(producers, record.producerId, record.producerSeq + 1, MAX_PRODUCERS)
      }
      if (record.sessionId === undefined || record.sessionSeq === undefined) return
      touch(sessions, record.sessionId, { next: record.sessionSeq + 1, lastAt: record.at, ended: record.ends }, MAX_SESSIONS)
    },
    idle: (before) => [...openSessions(sessions)].filter(([, session]) => session.lastAt < before).map(([id]) => id),
    oldest() {
      for (const [, session] of openSessions(sessions)) return session.lastAt
      return undefined
    },
    snapshot: (size) => ({
      size,
      sessions: [...sessions].map(([id, { next, lastAt, ended }]) => [id, next, lastAt, ended] as const),
      producers: [...producers],
    }),
  }
}

/** Reads what `snapshot` gave; `undefined` when the text is anything else. */
export function parseSessions(text: string): SessionsSnapshot | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isSnapshot(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isSnapshot(value: unknown): value is SessionsSnapshot {
  if (typeof value !== 'object' || value === null) return false
  const { size, sessions, producers } = value as Record<string, unknown> // members are checked right here
  return Number.isSafeInteger(size) && isTable(sessions, 4) && isTable(producers, 2)
}

function isTable(value: unknown, columns: number): boolean {
  return (
    Array.isArray(value) &&
    value.every((row) => Array.isArray(row) && row.length === columns && typeof row[0] === 'string' && Number.isSafeInteger(row[1]))
  )
}

function* openSessions(sessions: ReadonlyMap<string, Session>): Generator<[string, Session]> {
  for (const entry of sessions) if (!entry[1].ended) yield entry
}

/** Moves the key to the end, the place of the last used; the first one goes when there are too many. */
function touch<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > max) map.delete(map.keys().next().value ?? '')
}
