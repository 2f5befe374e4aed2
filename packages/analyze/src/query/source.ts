/**
 * What answers queries: an index, or a scan over all lines. Both give the same answers; a property holds them together.
 * @module
 */
import { type Entry, parseEntry } from '../reading/entry.ts'
import type { Filter } from './filter.ts'
import type { Group } from './groups.ts'
import type { Order } from './order.ts'

/** A stored line that matches. */
export interface Found {
  readonly seq: number
  /** As stored, without LF; the caller's own, unless the question says that it passes. */
  readonly line: Buffer
  /** What it was sorted by: the place of the next page is `{ value, seq }` of its last entry. */
  readonly value: number
  entry(): Entry
}

export interface Question {
  readonly filter: Filter
  readonly order: Order
  /** At most so many. */
  readonly limit?: number | undefined
  /** true: a line is not looked at, nor asked for its entry, once the next one was asked for. */
  readonly passing?: boolean | undefined
}

/** One combination of the groups that were asked for, in their order; undefined: the entries have none. */
export interface Count {
  readonly texts: readonly (string | undefined)[]
  readonly entries: number
}

export interface Source {
  find(question: Question): AsyncGenerator<Found>
  /** Most entries first, then by text. */
  count(filter: Filter, groups: readonly Group[]): Promise<Count[]>
}

/** A line that is an entry; it is parsed when somebody asks for that. */
export function toFound(line: Buffer, seq: number, value: number): Found {
  let parsed: Entry | undefined
  return { seq, line, value, entry: () => (parsed ??= parseEntry({ bytes: line }) ?? { seq }) }
}

/** An order in which equal counts always come alike. */
export function sortCounts(counts: readonly Count[]): Count[] {
  const keyed = counts.map((count) => ({ count, key: JSON.stringify(count.texts.map((text) => text ?? null)) }))
  return keyed
    .toSorted((a, b) => b.count.entries - a.count.entries || (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ count }) => count)
}
