/**
 * Entries as requests that CloudWatch Logs takes, and what its answer says of each.
 *
 * A request: events in the order of their time, at most 10,000, 1 MiB with 26 bytes for each, within 24 hours.
 * Entries keep the ledger's order where their times are equal. Source: Amazon CloudWatch Logs API, PutLogEvents and
 * RejectedLogEventsInfo, 2026-11.
 * @module
 */
import { asText } from '@sworn/verify'
import type { Item, Refusal } from '../sink.ts'

export interface LogEvent {
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly message: string
  /** Place in the batch. */
  readonly index: number
}

/** As the service answers it; ends are exclusive, starts inclusive. */
export interface RejectedLogEvents {
  readonly tooOldLogEventEndIndex?: number | undefined
  readonly expiredLogEventEndIndex?: number | undefined
  readonly tooNewLogEventStartIndex?: number | undefined
}

const MAX_EVENTS = 10_000
const MAX_BYTES = 1 << 20
const OVERHEAD = 26
const SPAN_MS = 86_400_000

const sizeOf = ({ message }: LogEvent) => Buffer.byteLength(message) + OVERHEAD

/** @param now for entries without a time: milliseconds since 1970 */
export function toRequests(
  items: readonly Item[],
  now: number,
): { requests: readonly (readonly LogEvent[])[]; refused: readonly Refusal[] } {
  const events = items.map(({ body, event }, index) => ({ timestamp: timeOf(event.timestamp, now), message: body, index }))
  const fitting = events.filter((event) => sizeOf(event) <= MAX_BYTES)
  const refused = events
    .filter((event) => sizeOf(event) > MAX_BYTES)
    .map(({ index }) => ({ index, reason: 'longer than CloudWatch takes' }))
  return { requests: cut(fitting.toSorted((a, b) => a.timestamp - b.timestamp)), refused }
}

function timeOf(timestamp: unknown, now: number): number {
  const time = Date.parse(asText(timestamp))
  return Number.isNaN(time) ? now : time
}

function cut(events: readonly LogEvent[]): readonly (readonly LogEvent[])[] {
  const requests: LogEvent[][] = []
  let bytes = 0
  for (const event of events) {
    const request = requests.at(-1)
    const fits =
      request && request.length < MAX_EVENTS && bytes + sizeOf(event) <= MAX_BYTES && event.timestamp - request[0]!.timestamp < SPAN_MS
    if (fits) request.push(event)
    else requests.push([event])
    bytes = fits ? bytes + sizeOf(event) : sizeOf(event)
  }
  return requests
}

/** Those of a request that the service left out, with the reason. */
export function toRefusals(request: readonly LogEvent[], rejected: RejectedLogEvents): readonly Refusal[] {
  const {
    tooOldLogEventEndIndex: old = 0,
    expiredLogEventEndIndex: expired = 0,
    tooNewLogEventStartIndex: tooNew = request.length,
  } = rejected
  return request.flatMap(({ index }, place) => {
    if (place < old) return [{ index, reason: 'more than 14 days old' }]
    if (place < expired) return [{ index, reason: 'older than the retention of the log group' }]
    return place >= tooNew ? [{ index, reason: 'more than 2 hours in the future' }] : []
  })
}
