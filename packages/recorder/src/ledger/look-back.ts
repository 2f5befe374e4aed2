/**
 * What an opening asks of the records that are there: how the log ended, what was said to be gone, when a segment began.
 * @module
 */
import { asText } from '@sworn/verify'
import type { Env } from './core.ts'
import type { SegmentRef } from './layout.ts'
import { eachRecord, recordAt } from './replay.ts'
import { isQuiet, parseReserved } from './reserved.ts'
import type { Survey } from './survey.ts'

/** True when the last record that says something is log.stop. */
export function stoppedClean(env: Env, { followed, run }: Survey): boolean {
  const { lastType, startSize } = followed
  if (lastType !== undefined) return lastType === 'log.stop'
  for (let seq = startSize - 1; seq >= 0; seq--) {
    const line = recordAt(env, run, seq)
    const type = line && (parseReserved(line)?.event_type ?? '')
    if (type === undefined || !isQuiet(type)) return type === 'log.stop'
  }
  return false
}

/** The first seqs of segments that a log.gap names as vanished. */
export function segmentsSaidGone(env: Env, run: readonly SegmentRef[]): ReadonlySet<number> {
  const said = new Set<number>()
  eachRecord(env, run, 0, (line) => {
    const own = parseReserved(line)
    if (own?.event_type === 'log.gap' && own.reason === 'segment_missing') said.add(Number(asText(own.first_seq)))
  })
  return said
}

/** By the first record of the segment, in milliseconds; now when that says no time. */
export function startedAt(env: Env, segment: SegmentRef): number {
  const first = recordAt(env, [segment], segment.firstSeq)
  const startedAtMs = Date.parse(asText(first && parseReserved(first)?.timestamp))
  return Number.isFinite(startedAtMs) ? startedAtMs : env.now()
}
