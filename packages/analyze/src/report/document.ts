/**
 * A report as headings, facts and tables: what every format says, in the same order.
 *
 * Recorded text is marked as such, `{ data }`: each format shows it so that it can be nothing but text.
 * @module
 */

/** Text of the ledger, as it was recorded. */
export interface Data {
  readonly data: string
}

/** Our own words, a number, or text of the ledger. */
export type Cell = string | number | Data

export interface Column {
  readonly title: string
  /** Right-aligned; `bar`: with a bar as long as its share of the largest. */
  readonly as?: 'number' | 'bar'
}

export interface Table {
  readonly kind: 'table'
  readonly caption: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
  /** Said where there is no row. */
  readonly empty: string
}

export interface Facts {
  readonly kind: 'facts'
  readonly facts: readonly (readonly [label: string, value: Cell])[]
}

export interface Paragraph {
  readonly kind: 'text'
  readonly parts: readonly Cell[]
  /** What must not be overlooked. */
  readonly warning?: true
}

export interface Series {
  readonly title: string
  readonly values: readonly number[]
}

/** Steps of time with one or more counts each. */
export interface Chart {
  readonly kind: 'chart'
  readonly caption: string
  readonly steps: readonly string[]
  readonly series: readonly Series[]
}

export interface Commands {
  readonly kind: 'commands'
  readonly lines: readonly string[]
}

export type Block = Table | Facts | Paragraph | Chart | Commands

export interface Section {
  readonly title: string
  readonly blocks: readonly Block[]
  /** 2 for a section, 3 for a part of the one before. */
  readonly level: 2 | 3
}

export interface Document {
  readonly title: string
  readonly lead: readonly Block[]
  readonly sections: readonly Section[]
}

export const text = (...parts: readonly Cell[]): Paragraph => ({ kind: 'text', parts })
export const warning = (...parts: readonly Cell[]): Paragraph => ({ kind: 'text', parts, warning: true })
export const facts = (...all: Facts['facts']): Facts => ({ kind: 'facts', facts: all })
/** Recorded text, or a dash for none. */
export const data = (value: string | null | undefined): Cell => (value === null || value === undefined ? '–' : { data: value })

/** From here on a double has no place left for a rounded digit. */
const LARGE = 1e12

/**
 * `1,234`, `0.5`: at most three digits behind the point.
 *
 * As `toLocaleString('en-US')` writes it, which is asked for odd values only: its tables are 6 MB of memory.
 */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  const digits = size < 10 ? 3 : 1
  const decimal = String(size)
  if (!(size < LARGE) || decimal.includes('e')) return value.toLocaleString('en-US', { maximumFractionDigits: digits })
  const rounded = Math.round(Number(`${decimal}e${digits}`)) / 10 ** digits // of the decimals that are shown, not of the double
  const [whole = '', part] = String(rounded).split('.')
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
  return `${value < 0 || Object.is(value, -0) ? '-' : ''}${grouped}${part === undefined ? '' : `.${part}`}`
}
