/**
 * Times as people write and read them.
 * @module
 */
import { SwornError } from '@sworn/verify'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Milliseconds of `60s`, `15m`, `1h`, `2d`, `1w`. @throws SwornError USAGE */
export function parseDuration(text: string, at: string): number {
  const match = /^(\d{1,9})(s|m|h|d|w)$/.exec(text)
  if (!match) throw new SwornError('USAGE', 'a duration like 90s, 15m, 1h, 2d or 1w was expected', at)
  return Number(match[1]) * UNIT_MS[match[2]!]!
}

/**
 * A point in time in milliseconds: `1h` or `2d` before now, a date (local midnight), or RFC 3339.
 * @throws SwornError USAGE
 */
export function parseTime(text: string, now: number, at: string): number {
  if (/^\d+[smhdw]$/.test(text)) return now - parseDuration(text, at)
  const date = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  const ms = date ? localMidnight(Number(date[1]), Number(date[2]), Number(date[3])) : instant(text)
  if (Number.isNaN(ms)) throw new SwornError('USAGE', 'a time like 1h, 2d, 2026-01-31 or 2026-01-31T12:00:00Z was expected', at)
  return ms
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?$/

/** Without an offset: local. A day that its month does not have is none, as in a date alone. */
function instant(text: string): number {
  const [, year, month, day] = INSTANT.exec(text) ?? []
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return date.getUTCDate() === Number(day) ? Date.parse(text) : Number.NaN
}

function localMidnight(year: number, month: number, day: number): number {
  const date = new Date(year, month - 1, day)
  return date.getMonth() === month - 1 && date.getDate() === day ? date.getTime() : Number.NaN
}

/** `2026-01-31 13:00:00.123+01:00`, or the UTC form with `Z`; what is no time comes back as it was. */
export function formatTime(timestamp: unknown, utc: boolean): string {
  if (typeof timestamp !== 'string') return '-'
  const ms = Date.parse(timestamp)
  if (Number.isNaN(ms)) return timestamp
  if (utc) return new Date(ms).toISOString()
  const offset = -new Date(ms).getTimezoneOffset()
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1).replace('T', ' ')
  const part = (n: number) => String(n).padStart(2, '0')
  return `${local}${offset < 0 ? '-' : '+'}${part(Math.floor(Math.abs(offset) / 60))}:${part(Math.abs(offset) % 60)}`
}

/** `01-31 13:00:00+01:00`, or `01-31 12:00:00Z`; with its year where that is not the year of `now`; what is no time as it was. */
export function formatShortTime(timestamp: unknown, utc: boolean, now: number): string {
  const text = formatTime(timestamp, utc)
  const [, year, short, offset] = /^(\d{4})-(\d\d-\d\d[ T]\d\d:\d\d:\d\d)\.\d+(.*)$/.exec(text) ?? []
  if (year === undefined || short === undefined) return text
  const isThisYear = formatTime(new Date(now).toISOString(), utc).startsWith(year)
  return `${isThisYear ? '' : `${year}-`}${short.replace('T', ' ')}${offset}`
}
