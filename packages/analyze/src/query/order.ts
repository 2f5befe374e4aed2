/**
 * In which order matches come, and from where on.
 * @module
 */

export const SORTS = ['seq', 'time', 'duration_ms'] as const
export type Sort = (typeof SORTS)[number]

/** The last entry of a page. */
export interface After {
  /** What it was sorted by; the seq itself when sorted by seq. */
  readonly value: number
  readonly seq: number
}

export interface Order {
  readonly sort: Sort
  readonly descending: boolean
  readonly after?: After | undefined
}

/** An entry without time or duration sorts before all. */
export const NO_VALUE = -1
