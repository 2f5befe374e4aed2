/**
 * What entries are counted by, and counting them one by one.
 * @module
 */
import { columnsOf, KIND_MEMBERS, WHO_MEMBERS } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'

/** What entries can be counted by. */
export const GROUPS = [...KIND_MEMBERS, ...WHO_MEMBERS, 'session_id', 'hour', 'day'] as const
export type Group = (typeof GROUPS)[number]

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
/** `2026-11-21T13:00Z` or `2026-11-21`: the hour or day of a time, in UTC. */
export function groupOfTime(group: 'hour' | 'day', time: number | undefined): string | undefined {
  if (time === undefined) return undefined
  const text = new Date(time).toISOString()
  return group === 'day' ? text.slice(0, 10) : `${text.slice(0, 13)}:00Z`
}

/** What `groupOf` made of a time, as text. */
export function formatGroup(group: Group, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  if (group === 'hour') return groupOfTime(group, Number(value) * HOUR_MS)
  return group === 'day' ? groupOfTime(group, Number(value) * DAY_MS) : String(value)
}

/** How many entries have these texts, in the order of the groups that were asked for. */
export interface Tally {
  readonly texts: readonly (string | undefined)[]
  entries: number
}

/** Counts one more entry, or more. */
export function tally(counts: Map<string, Tally>, texts: Tally['texts'], entries = 1): void {
  const key = JSON.stringify(texts.map((text) => text ?? null))
  const known = counts.get(key)
  if (known) known.entries += entries
  else counts.set(key, { texts, entries })
}

/** The texts of an entry that `groups` ask for. */
export function groupTexts(entry: Entry, groups: readonly Group[]): (string | undefined)[] {
  const { kind, who, sessionId, time } = columnsOf(entry)
  return groups.map((group) => {
    if (group === 'session_id') return sessionId
    if (group === 'hour' || group === 'day') return groupOfTime(group, time)
    const place = KIND_MEMBERS.indexOf(group as (typeof KIND_MEMBERS)[number]) // -1 for one of the others
    return place >= 0 ? kind[place] : who[WHO_MEMBERS.indexOf(group as (typeof WHO_MEMBERS)[number])]
  })
}
