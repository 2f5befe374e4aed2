/**
 * CSV for spreadsheets: RFC 4180 quoting, and no cell that a spreadsheet would run as a formula.
 * @module
 */

/** Cells that start with one of these run as formulas (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}]/u
const NUMBER = /^-?\d+(\.\d+)?$/

/** One cell: formula starts get a leading `'`, plain numbers stay. */
export function formatCell(value: string): string {
  const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** One row without its line end. */
export function formatRow(values: readonly string[]): string {
  return values.map(formatCell).join(',')
}
