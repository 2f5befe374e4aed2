/**
 * The entries that an export takes from a ledger: filters, `--where`, and nothing behind what was verified.
 * @module
 */
import { type LedgerFiles, type RawLine, readLedger } from '@sworn/analyze/reading'
import type { Event } from '@sworn/dialects/formats'
import type { JsonValue } from '@sworn/verify'
import type { Values } from '../frame/command.ts'
import { createFilter, FILTER_FLAGS, matchLine } from '../reading/filter.ts'
import type { Counts } from './manifest.ts'

export const SELECT_FLAGS = {
  ...FILTER_FLAGS,
  where: { type: 'string', value: 'CEL', about: "a filter over the event, e.g. 'duration_ms > 1000'" },
} as const

type SelectValues = Values<typeof SELECT_FLAGS>

export interface Selection {
  readonly counts: Counts
  entries(): AsyncGenerator<Event>
}

/**
 * @param below entries with this seq and later ones are left out
 * @param onUnreadable told of every complete line that is no entry
 * @throws SwornError USAGE for a time, FILTER_INVALID for an expression that cannot be read
 */
export async function selectEntries(
  files: LedgerFiles,
  flags: SelectValues,
  options: { readonly now: number; readonly below: number; onUnreadable(line: RawLine): void },
): Promise<Selection> {
  const filter = createFilter(flags, options.now)
  const matches = flags.where === undefined ? () => true : (await import('@sworn/dialects/filter')).compileFilter(flags.where)
  const counts: Counts = { events: 0, log_records: 0, withheld: 0, unreadable: 0 }
  async function* entries(): AsyncGenerator<Event> {
    for await (const line of readLedger(files)) {
      const entry = matchLine(line, filter)
      if (entry === undefined && line.complete) {
        counts.unreadable += 1
        options.onUnreadable(line)
      }
      if (!entry || !line.complete) continue
      if (entry.seq >= options.below) return
      if (entry.event_type === undefined) counts.withheld += 1
      else if (!isEvent(entry)) counts.log_records += 1
      else if (matches(entry)) {
        counts.events += 1
        counts.first_seq ??= entry.seq
        counts.last_seq = entry.seq
        yield entry
      }
    }
  }
  return { counts, entries }
}

/** An entry of a caller's; the ledger's own records are not exported. */
function isEvent<T extends object>(entry: T): entry is T & Event & Readonly<Record<string, JsonValue>> {
  return 'event_type' in entry && typeof entry.event_type === 'string' && !entry.event_type.startsWith('log.')
}
