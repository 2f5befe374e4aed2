/**
 * Entries as tables, CSV rows and terminal lines. All recorded data is escaped here.
 * @module
 */

import { describeEntry, type Entry, toText } from '@sworn/analyze/reading'
import { asText } from '@sworn/verify'
import type { Paint } from '../text/colour.ts'
import { formatRow } from '../text/csv.ts'
import { escapeText } from '../text/escape.ts'
import { fitText, formatTable } from '../text/table.ts'
import { formatShortTime, formatTime } from '../text/time.ts'

const COLUMNS = [
  { title: 'SEQ', keep: true },
  { title: 'TIME', most: 29, keep: true },
  { title: 'TYPE', most: 24 },
  { title: 'DECISION', most: 8, keep: true },
  { title: 'TOOL', most: 28 },
  { title: 'USER', most: 24 },
  { title: 'WHAT', stretch: true },
] as const

/** Below this, times stand without fraction of a second, and those of this year without it. */
const NARROW = 110

export interface TableOptions {
  readonly width: number
  readonly utc: boolean
  readonly now: number
}

/** A table of entries; rows are cut to `width`. */
export function formatEntries(entries: readonly Entry[], { width, utc, now }: TableOptions): string[] {
  const time = (timestamp: unknown) => (width < NARROW ? formatShortTime(timestamp, utc, now) : formatTime(timestamp, utc))
  const rows = entries.map((e) => [
    String(e.seq),
    time(e.timestamp),
    toText(e.event_type),
    toText(e.decision),
    toText(e.tool),
    toText(e.user),
    describeEntry(e),
  ])
  return formatTable(COLUMNS, rows, width)
}

const CSV_MEMBERS =
  'seq timestamp event_type severity decision tool target user agent_id session_id correlation_id reason reason_code risk_level duration_ms is_error error arguments result entry_hash'.split(
    ' ',
  )

export const CSV_HEADER = formatRow(CSV_MEMBERS)

/** One CSV row; times in UTC as stored, objects as JSON. */
export function formatCsv(entry: Entry): string {
  return formatRow(CSV_MEMBERS.map((member) => toText(entry[member])))
}

/** One line for `tail`: a mark, time, type and what happened; at most `width` cells when given. */
export function formatLine(entry: Entry, paint: Paint, options: { readonly utc: boolean; readonly width?: number | undefined }): string {
  const who = toText(entry.user)
  const head = `${String(entry.seq).padStart(6)}  ${formatTime(entry.timestamp, options.utc)}  ${toText(entry.event_type)}`
  const parts = [head, toText(entry.decision).toUpperCase(), toText(entry.tool), who && `by ${who}`, describeEntry(entry)]
  const line = escapeText(parts.filter((part) => part !== '').join('  '))
  return colourOf(entry, paint)(options.width === undefined ? line : fitText(line, options.width))
}

function colourOf(entry: Entry, paint: Paint): (text: string) => string {
  if (entry.decision === 'deny' || entry.severity === 'error' || entry.severity === 'critical') return paint.red
  if (entry.decision === 'ask' || entry.severity === 'warning' || entry.event_type === 'dlp_match') return paint.yellow
  return asText(entry.event_type).startsWith('log.') ? paint.dim : (text) => text
}
