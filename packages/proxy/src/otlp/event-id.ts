/**
 * Ids of events that are told again when an answer was lost: made from what names the span or log record.
 * @module
 */
import { hash } from 'node:crypto'

/**
 * A UUIDv7 that is the same for the same parts. Source: RFC 9562 §5.7; its random bits are of a hash.
 * @param timeMs 0 or more, before the year 10000
 */
export function eventIdOf(timeMs: number, parts: readonly string[]): string {
  const time = timeMs.toString(16).padStart(12, '0')
  const digest = hash('sha256', JSON.stringify(['sworn otlp', ...parts]))
  const variant = ((Number.parseInt(digest[3]!, 16) & 3) | 8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`
}
