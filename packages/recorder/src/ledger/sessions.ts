/**
 * Counters: `session_seq` per session, `producer_seq` per producer.
 *
 * Contiguous over all processes of a session: only the appender counts. Kept in `index/sessions`,
 * written at each checkpoint; later lines are read again on open.
 * Beyond 100,000 sessions those that ended longest ago are forgotten.
 * BUG: a record that comes for a forgotten one starts again at 0, and verification reports that session as
 * incomplete. It takes a late record after 100,000 other sessions, or as many open at once.
 * @module
 */
const MAX_SESSIONS = 100_000
const MAX_PRODUCERS = 100_000

interface Session {
  next: number
  /** Milliseconds of the last record. */
  lastAt: number
}

/** Counters as they were when the log had `size` records. */
export interface SessionsSnapshot {
  readonly size: number
  readonly sessions: readonly (readonly [id: string, next: number, lastAt: number, ended: boolean])[]
  readonly producers: readonly (readonly [id: string, next: number])[]
}

export interface Noted {
  readonly sessionId?: string | undefined
  readonly sessionSeq?: number | undefined
  readonly producerId?: string | undefined
  readonly producerSeq?: number | undefined
  readonly ends: boolean
  /** Milliseconds. */
  readonly at: number
}

export interface Sessions {
  /** The number the next record of this session will carry. */
  next(sessionId: string): number
  nextOfProducer(producerId: string): number
  /** A record was linked. */
  note(record: Noted): void
  /** Open sessions without a record since `before`. */
  idle(before: number): readonly string[]
  /** Milliseconds of the oldest last record of an open session. */
  oldest(): number | undefined
  /** Sessions that are remembered. */
  count(): number
  snapshot(size: number): SessionsSnapshot
}

export function createSessions(from?: SessionsSnapshot): Sessions {
  // Two tables, each in order of the last record: what is idle is found without looking at what ended.
  const open = new Map<string, Session>()
  const ended = new Map<string, Session>()
  for (const [id, next, lastAt, isEnded] of from?.sessions ?? []) (isEnded ? ended : open).set(id, { next, lastAt })
  const producers = new Map<string, number>(from?.producers)
  return {
    next: (sessionId) => (open.get(sessionId) ?? ended.get(sessionId))?.next ?? 0,
    nextOfProducer: (producerId) => producers.get(producerId) ?? 0,
    note(record) {
      if (record.producerId !== undefined && record.producerSeq !== undefined) {
        touch(producers, record.producerId, record.producerSeq + 1)
        if (producers.size > MAX_PRODUCERS) dropFirst(producers)
      }
      if (record.sessionId === undefined || record.sessionSeq === undefined) return
      ;(record.ends ? open : ended).delete(record.sessionId)
      touch(record.ends ? ended : open, record.sessionId, { next: record.sessionSeq + 1, lastAt: record.at })
      if (open.size + ended.size > MAX_SESSIONS) dropFirst(ended.size > 0 ? ended : open)
    },
    idle(before) {
      const found: string[] = []
      for (const [id, { lastAt }] of open) {
        if (lastAt >= before) break
        found.push(id)
      }
      return found
    },
    oldest: () => open.values().next().value?.lastAt,
    count: () => open.size + ended.size,
    snapshot: (size) => ({ size, sessions: [...rows(open, false), ...rows(ended, true)], producers: [...producers] }),
  }
}

function rows(sessions: ReadonlyMap<string, Session>, ended: boolean) {
  return [...sessions].map(([id, { next, lastAt }]) => [id, next, lastAt, ended] as const)
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

/** Moves the key to the end, the place of the last used. */
function touch<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
}

function dropFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) return void map.delete(key)
}
