/**
 * Rates over a restart: what buckets gave out before this process appended, read from the decisions themselves.
 *
 * A decision that took from a rate names its counter in `metadata.rate`. At the first question about a bucket the
 * decisions of the last hour are read, once, newest segment first; no rate is longer. Bounded: 10,000 counters, the
 * newest 10,000 times of each. Hostile input: what does not have the shape does not count, nor what was only told.
 * Source: docs/format.md, "Budgets".
 * @module
 */
import { unspliceCounters } from './body.ts'
import { write } from './commit.ts'
import type { Core } from './core.ts'
import { eachRecord } from './replay.ts'
import { isReported, memberOf } from './reported.ts'
import { parsePayload } from './reserved.ts'
import { listSegments } from './segments.ts'

/** The longest rate, in milliseconds; a bucket regains everything within its own. */
export const LONGEST_RATE_MS = 3_600_000

const MAX_COUNTERS = 10_000
const MAX_TIMES = 10_000
const MARK = '"rate":"'
const DECIDING: ReadonlySet<unknown> = new Set(['authorization_decision', 'approval_requested'])

/** Unix milliseconds, in the order of the records, by counter. @throws as reading does */
export type RatesOnRecord = ReadonlyMap<string, readonly number[]>

export function readRates(core: Core): RatesOnRecord {
  write(core) // what is linked is read back with the rest
  const since = core.env.now() - LONGEST_RATE_MS
  const found = new Map<string, number[]>()
  for (const segment of listSegments(core.env).toReversed()) {
    const rates: { readonly counter: string; readonly at: number }[] = []
    let oldest = Number.POSITIVE_INFINITY
    eachRecord(core.env, [segment], 0, (line) => {
      const body = Buffer.from(line.body.buffer, line.body.byteOffset, line.body.length)
      const isFirst = oldest === Number.POSITIVE_INFINITY
      if (!isFirst && !body.includes(MARK)) return
      const payload = unspliceCounters(body.toString('utf8')) && parsePayload(line)
      if (isReported(payload)) return // its time is a claim too
      const at = typeof payload?.timestamp === 'string' ? Date.parse(payload.timestamp) : Number.NaN
      if (isFirst && Number.isFinite(at)) oldest = at
      const counter = payload && DECIDING.has(payload.event_type) ? rateOf(payload.metadata) : undefined
      if (counter !== undefined && at >= since) rates.push({ counter, at })
    })
    keep(found, rates)
    if (oldest < since) break
  }
  return found
}

function rateOf(metadata: unknown): string | undefined {
  const rate = memberOf(metadata, 'rate')
  return typeof rate === 'string' && rate.length <= 256 ? rate : undefined
}

/** Those of an older segment stand before what was found. */
function keep(found: Map<string, number[]>, rates: readonly { readonly counter: string; readonly at: number }[]): void {
  const older = Map.groupBy(rates, ({ counter }) => counter)
  for (const [counter, times] of older) {
    if (!found.has(counter) && found.size >= MAX_COUNTERS) continue
    found.set(counter, [...times.map(({ at }) => at), ...(found.get(counter) ?? [])].slice(-MAX_TIMES))
  }
}
