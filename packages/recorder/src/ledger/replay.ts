/**
 * Counters and seen events, rebuilt from what is stored plus the lines behind it.
 *
 * Stored tables count only below the newest signed size: beyond it a power cut may have put other
 * records under the same numbers.
 * @module
 */
import { join } from 'node:path'
import type { Line } from '@sworn/verify'
import { unspliceCounters } from './body.ts'
import type { Env } from './core.ts'
import { type Dedupe, eventKey, openDedupe, readIds } from './dedupe.ts'
import { readFile, readSlice } from './files.ts'
import type { SegmentRef } from './layout.ts'
import { findRecord } from './offsets.ts'
import { parsePayload } from './reserved.ts'
import { eachLine, tryLine } from './scan.ts'
import { createSessions, parseSessions, type Sessions } from './sessions.ts'

/** Tables for a ledger of the given contiguous segments. `trusted` is the signed size. */
export function replayTables(env: Env, segments: readonly SegmentRef[], trusted: number): { dedupe: Dedupe; sessions: Sessions } {
  const { ops, layout } = env
  const ids = readIds(ops, layout.index, trusted)
  const stored = parseSessions(readFile(ops, join(layout.index, 'sessions'))?.toString('utf8') ?? '')
  const snapshot = stored && stored.size <= trusted ? stored : undefined
  const dedupe = openDedupe(ops, layout.index, ids)
  const sessions = createSessions(snapshot)
  const sessionsFrom = snapshot?.size ?? 0
  eachRecord(env, segments, Math.min(ids.from, sessionsFrom), (line) => {
    const event = readEvent(line)
    if (!event) return
    if (line.seq >= ids.from && event.eventId !== undefined) dedupe.note(eventKey(event.producerId, event.eventId), line)
    if (line.seq >= sessionsFrom) sessions.note({ ...event, at: event.at ?? env.now() })
  })
  return { dedupe, sessions }
}

/** Every record from `from` on that the segments hold. */
export function eachRecord(env: Env, segments: readonly SegmentRef[], from: number, visit: (line: Line) => void): void {
  for (const [i, ref] of segments.entries()) {
    const next = segments[i + 1]
    if (next && next.firstSeq <= from) continue
    eachLine(env.ops, ref.path, endOf(env, ref, from - 1), (bytes) => {
      const line = tryLine(bytes)
      if (line && line.seq >= from) visit(line)
      return line !== undefined
    })
  }
}

/** The entry_hash of a record, or `undefined` when no segment holds it. */
export function entryHashAt(env: Env, segments: readonly SegmentRef[], seq: number): string | undefined {
  return recordAt(env, segments, seq)?.entryHash
}

/** One record by its number. */
export function recordAt(env: Env, segments: readonly SegmentRef[], seq: number): Line | undefined {
  const ref = segments.findLast((segment) => segment.firstSeq <= seq)
  if (!ref) return undefined
  const line = indexed(env, ref, seq)?.line
  return line ?? searched(env, ref, seq)
}

/** By the offsets, which a power cut may have left wrong: what they lead to must carry the number. */
function indexed(env: Env, ref: SegmentRef, seq: number): { line: Line; end: number } | undefined {
  const place = findRecord(env.ops, env.layout.index, ref, seq)
  if (!place || place.from >= place.to) return undefined
  const line = tryLine(readSlice(env.ops, ref.path, place.from, place.to - 1))
  return line?.seq === seq ? { line, end: place.to } : undefined
}

function searched(env: Env, ref: SegmentRef, seq: number): Line | undefined {
  let found: Line | undefined
  eachLine(env.ops, ref.path, 0, (bytes) => {
    const line = tryLine(bytes)
    if (line?.seq === seq) found = line
    return line !== undefined && line.seq < seq
  })
  return found
}

/** The byte behind record `seq`, or the start of the segment when the offsets do not tell. */
function endOf(env: Env, ref: SegmentRef, seq: number): number {
  return (seq >= ref.firstSeq && indexed(env, ref, seq)?.end) || 0
}

function readEvent(line: Line) {
  const spliced = unspliceCounters(Buffer.from(line.body).toString('utf8'))
  const payload = spliced && parsePayload(line)
  if (!payload) return undefined
  const { event_id: eventId, event_type: eventType, session_id: sessionId, timestamp } = payload
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  const ends = eventType === 'session_end'
  return {
    ...spliced.counters,
    ...(typeof eventId === 'string' && { eventId }),
    ...(typeof sessionId === 'string' && { sessionId }),
    ...(Number.isFinite(at) && { at }),
    ends,
  }
}
