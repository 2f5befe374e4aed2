/**
 * A report as Markdown (CommonMark with GFM tables).
 *
 * Recorded text stands in code spans, in which neither HTML nor links nor mentions mean anything; control and bidi
 * characters are escaped as everywhere.
 * @module
 */
import { escapeText } from '../reading/escape.ts'
import { type Block, type Cell, type Document, formatNumber, type Table } from './document.ts'

export function formatMarkdown({ title, lead, sections }: Document): string {
  const parts = [`# ${title}`, ...lead.map(formatBlock)]
  for (const section of sections) parts.push(`${'#'.repeat(section.level)} ${section.title}`, ...section.blocks.map(formatBlock))
  return `${parts.join('\n\n')}\n`
}

function formatBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return (block.warning ? '**Note:** ' : '') + block.parts.map(formatCell).join('')
    case 'facts':
      return block.facts.map(([label, value]) => `- ${label}: ${formatCell(value)}`).join('\n')
    case 'commands':
      return formatFence(block.lines.map((line) => escapeText(line)).join('\n'))
    case 'table':
      return formatTable(block)
    case 'chart': {
      const columns = [{ title: 'from' }, ...block.series.map(({ title }) => ({ title, as: 'number' as const }))]
      const rows = block.steps.map((step, i) => [step, ...block.series.map(({ values }) => values[i] ?? 0)])
      return formatTable({ kind: 'table', caption: block.caption, columns, rows, empty: 'No events.' })
    }
  }
}

function formatTable({ caption, columns, rows, empty }: Table): string {
  if (rows.length === 0) return `${caption}: ${empty}`
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const head = line(columns.map(({ title }) => title))
  const rule = `|${columns.map(({ as }) => (as ? '--:' : '---')).join('|')}|`
  return [`${caption}:`, '', head, rule, ...rows.map((row) => line(row.map(formatCell)))].join('\n')
}

function formatCell(cell: Cell): string {
  if (typeof cell === 'number') return formatNumber(cell)
  return typeof cell === 'string' ? cell : formatCode(cell.data)
}

/** A code span that its content cannot end; pipes are escaped for tables, in which alone they would mean something. */
function formatCode(recorded: string): string {
  const shown = escapeText(recorded).replaceAll('|', '\\|')
  if (shown.trim() === '') return '(empty)'
  const longest = longestRun(shown)
  const fence = '`'.repeat(longest + 1)
  return longest === 0 && shown.trim() === shown ? `\`${shown}\`` : `${fence} ${shown} ${fence}`
}

function formatFence(lines: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(lines) + 1))
  return `${fence}sh\n${lines}\n${fence}`
}

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
