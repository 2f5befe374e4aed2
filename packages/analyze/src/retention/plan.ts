/**
 * What retention would drop now: closed segments from the oldest on, until one holds something that is still kept.
 *
 * A segment goes whole or stays. An entry's time is the later of its own and of the newest record of the appender before
 * it in its segment: a producer that claims to be old shortens nothing. One that claims to come from the future keeps nothing longer:
 * what cannot be yet is as old as the appender says, and a day. Whatever cannot be read is kept.
 * Reads until the first segment that stays. Source: docs/guides/erasure-and-retention.md.
 * @module
 */

import { type LedgerFiles, listSegments, readLines, type SegmentFile } from '@sworn/recorder/segments'
import { asText } from '@sworn/verify'
import { type Entry, parseEntry } from '../reading/entry.ts'
import type { Retention } from './classes.ts'

export interface PlannedSegment {
  readonly firstSeq: number
  readonly entries: number
}

/** Why the first segment that stays does; `until`: RFC 3339, when what is known now will let it go. */
export type Stop =
  | { readonly firstSeq: number; readonly why: 'age'; readonly until: string }
  | { readonly firstSeq: number; readonly why: 'kept for ever' | 'unreadable' | 'active' }
  | { readonly firstSeq: number; readonly why: 'hold'; readonly hold: string; readonly seq: number }

export interface RetentionPlan {
  /** What `prune` is told: every record below may go. */
  readonly upTo: number
  readonly segments: readonly PlannedSegment[]
  readonly stop?: Stop
}

export interface PlanOptions {
  readonly retention: Retention
  /** The name of the hold that an entry is under. */
  readonly heldBy: (entry: Entry) => string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}

const DAY_MS = 86_400_000
/** Latest time of a Date. */
const MAX_MS = 8.64e15

export async function planRetention(files: LedgerFiles, options: PlanOptions): Promise<RetentionPlan> {
  const segments: PlannedSegment[] = []
  const listed = listSegments(files)
  let upTo = listed[0]?.firstSeq ?? 0
  for (const [i, file] of listed.entries()) {
    if (i === listed.length - 1 || file.firstSeq === undefined) return { upTo, segments, stop: { firstSeq: upTo, why: 'active' } }
    const looked = await lookAt(file, file.firstSeq, options)
    if ('why' in looked) return { upTo, segments, stop: looked }
    segments.push({ firstSeq: file.firstSeq, entries: looked.next - file.firstSeq })
    upTo = looked.next
  }
  return { upTo, segments }
}

async function lookAt(
  file: SegmentFile,
  firstSeq: number,
  { retention, heldBy, now }: PlanOptions,
): Promise<Stop | { readonly next: number }> {
  let next = firstSeq
  let appenderMs = Number.NaN
  let keptUntil = Number.NEGATIVE_INFINITY
  for await (const line of readLines(file.path)) {
    const entry = line.complete ? parseEntry(line) : undefined
    const ownMs = entry && Date.parse(asText(entry.timestamp))
    if (!entry || ownMs === undefined || Number.isNaN(ownMs) || entry.seq !== next) return { firstSeq, why: 'unreadable' }
    next++
    if (asText(entry.event_type).startsWith('log.')) appenderMs = ownMs
    const hold = heldBy(entry)
    if (hold !== undefined) return { firstSeq, why: 'hold', hold, seq: entry.seq }
    keptUntil = Math.max(keptUntil, timeOf(ownMs, appenderMs, now) + retention.keepDays(entry) * DAY_MS)
  }
  if (keptUntil <= now) return { next }
  return keptUntil > MAX_MS ? { firstSeq, why: 'kept for ever' } : { firstSeq, why: 'age', until: new Date(keptUntil).toISOString() }
}

/** @param appenderMs NaN where the appender said nothing before it: at the longest a day passes between two of its records. */
function timeOf(ownMs: number, appenderMs: number, now: number): number {
  if (Number.isNaN(appenderMs)) return ownMs
  return ownMs > now ? appenderMs + DAY_MS : Math.max(ownMs, appenderMs)
}
