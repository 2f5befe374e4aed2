/**
 * Tables that fit the terminal, straight with wide characters.
 *
 * Cells are escaped here, so no caller can forget it. Widths are terminal cells, not code units.
 * @module
 */
import stringWidth from 'string-width'
import { breakLine } from './break.ts'
import { escapeText } from './escape.ts'

export interface Column {
  readonly title: string
  /** Takes what is left of the width and is cut with `…`; others are as wide as their widest cell, up to `most`. */
  readonly stretch?: true
  readonly most?: number
  /** Cut last of all: half of it says nothing. */
  readonly keep?: true
}

/** Cuts to at most `cells` terminal cells; the last one is `…` when something was cut. */
export function fitText(text: string, cells: number): string {
  if (stringWidth(text) <= cells) return text
  let kept = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = stringWidth(segment)
    if (used + next > cells - 1) break
    kept += segment
    used += next
  }
  return `${kept}…`
}

/**
 * Lines of a table: a header and one line per row, none wider than `columns`.
 * @param rows unescaped texts, as many per row as there are columns
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const safe = rows.map((row) => row.map((cell) => escapeText(cell)))
  const widths = columnWidths(columns, safe, width)
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => pad(fitText(cell, widths[i]!), widths[i]!))
      .join('  ')
      .trimEnd()
  return [line(columns.map((c) => c.title)), ...safe.map(line)]
}

/**
 * Lines of a table that must be read whole: its last column is broken between words, never cut.
 * @param rows unescaped texts, as many per row as there are titles; those before the last in characters of one cell
 */
export function formatWhole(titles: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const columns = titles.map((title) => ({ title }))
  const lines = formatTable(columns, rows, Number.POSITIVE_INFINITY)
  const indent = lines[0]!.length - titles.at(-1)!.length
  return lines.flatMap((line) => breakLine(line, width, indent, stringWidth).split('\n'))
}

function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - stringWidth(text)))
}

function columnWidths(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const natural = columns.map((column, i) => Math.max(stringWidth(column.title), ...rows.map((row) => stringWidth(row[i] ?? ''))))
  const capped = natural.map((n, i) => Math.min(n, columns[i]!.most ?? n))
  const gaps = 2 * (columns.length - 1)
  const fixed = capped.reduce((sum, n, i) => (columns[i]!.stretch ? sum : sum + n), gaps)
  const stretching = columns.filter((c) => c.stretch).length
  const share = Math.max(8, Math.floor((width - fixed) / Math.max(1, stretching)))
  const shared = capped.map((n, i) => (columns[i]!.stretch ? Math.min(n, share) : n))
  const first = shrink(shared, width - gaps, (i) => columns[i]!.keep === undefined)
  return shrink(first, width - gaps, () => true)
}

/** Takes cells from the widest of the columns that `may` give until all fit; no column falls below one cell. */
function shrink(widths: readonly number[], room: number, may: (i: number) => boolean): number[] {
  const out = [...widths]
  for (let over = out.reduce((a, b) => a + b, 0) - room; over > 0; over--) {
    const most = Math.max(...out.filter((_, i) => may(i)))
    if (most <= 1) break
    out[out.findIndex((cells, i) => cells === most && may(i))]!--
  }
  return out
}
