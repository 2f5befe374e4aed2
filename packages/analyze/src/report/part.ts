/**
 * What a report is made of: parts that each take every entry once and hold a bounded state.
 * @module
 */
import type { Observed } from '../actions/index.ts'
import type { Columns } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'

export interface Part<T> {
  /** @param observed which tool call it is about; undefined: none */
  add(entry: Entry, columns: Columns, observed?: Observed): void
  done(): T
}

type Members = Readonly<Record<string, unknown>>

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {} // any object: members are unknown
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A count or an amount: a finite number from 0 on. */
export function amountOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

/** Longest text of the ledger that a report holds, in UTF-16 units. */
const MAX_TEXT = 200

/** A recorded text, well formed and cut; undefined for what is no text, number or boolean. */
export function cutText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return undefined
  return value.length <= MAX_TEXT ? value.toWellFormed() : `${value.slice(0, MAX_TEXT).toWellFormed()}…`
}
