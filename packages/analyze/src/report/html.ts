/**
 * A report as one HTML file: no script, no address, nothing loaded; readable on paper, on a phone and in the dark.
 *
 * The only way to HTML here is the tag `html`, which escapes whatever is not HTML of its own, control and bidi characters
 * included. The policy in the head allows this one style sheet, by its hash, and nothing else.
 * Source: CSP level 3; WCAG 2.2 (tables carry every figure of a chart, no meaning by colour alone).
 * @module
 */

import { toBase64, utf8 } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { escapeText } from '../reading/escape.ts'
import { type Block, type Cell, type Chart, type Document, formatNumber, type Section, type Series, type Table } from './document.ts'
import { STYLE } from './style.ts'

/** HTML that was made here. */
interface Html {
  readonly html: string
}

type Inserted = Html | readonly Html[] | string | number

function html(strings: TemplateStringsArray, ...parts: readonly Inserted[]): Html {
  return { html: strings.map((own, i) => own + (i < parts.length ? toHtml(parts[i]!) : '')).join('') }
}

function toHtml(part: Inserted): string {
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escapeHtml(part)
  return 'html' in part ? part.html : part.map((one) => one.html).join('')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (char) => ENTITIES[char]!)
}

/** The whole file. */
export function formatHtml({ title, lead, sections }: Document): string {
  const hash = toBase64(nodePrimitives.hash('sha256', utf8(STYLE)))
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const places = sections.map((section, i) => ({ section, id: `s${i + 1}` }))
  const links = places.flatMap(({ section, id }) => (section.level === 2 ? [html`<li><a href="#${id}">${section.title}</a></li>`] : []))
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
${{ html: `<style>${STYLE}</style>` }}
</head>
<body>
<header><h1>${title}</h1>${lead.map(formatBlock)}</header>
<nav aria-label="Sections"><ul>${links}</ul></nav>
<main>${places.map(({ section, id }) => formatSection(section, id))}</main>
</body>
</html>
`
  return page.html
}

function formatSection({ title, level, blocks }: Section, id: string): Html {
  const heading = level === 2 ? html`<h2 id="${id}">${title}</h2>` : html`<h3 id="${id}">${title}</h3>`
  return html`<section aria-labelledby="${id}">${heading}${blocks.map(formatBlock)}</section>
`
}

function formatBlock(block: Block): Html {
  switch (block.kind) {
    case 'text':
      return html`<p${block.warning ? html` class="note"` : html``}>${block.warning ? html`<strong>Note:</strong> ` : html``}${block.parts.map(formatCell)}</p>`
    case 'facts':
      return html`<dl>${block.facts.map(formatFact)}</dl>`
    case 'commands':
      return html`<pre tabindex="0">${block.lines.map((line) => html`${line}\n`)}</pre>`
    case 'table':
      return formatTable(block)
    case 'chart':
      return formatChart(block)
  }
}

/** Longer values would be broken again and again in a card; recorded text may be of any length. */
const LONG_FACT = 28

function formatFact([label, value]: readonly [string, Cell]): Html {
  const isLong = typeof value === 'object' || String(value).length > LONG_FACT
  return html`<div${isLong ? html` class="long"` : html``}><dt>${label}</dt><dd>${formatCell(value)}</dd></div>`
}

function formatCell(cell: Cell): Html {
  if (typeof cell === 'number') return html`${formatNumber(cell)}`
  return typeof cell === 'string' ? html`${cell}` : html`<bdi>${cell.data === '' ? '(empty)' : cell.data}</bdi>`
}

function formatTable({ caption, columns, rows, empty }: Table): Html {
  if (rows.length === 0) return html`<p class="none">${caption}: ${empty}</p>`
  const most = columns.map(({ as }, i) => (as === 'bar' ? Math.max(...rows.map((row) => amount(row[i]))) : 0))
  const head = columns.map(({ title, as }) => html`<th scope="col"${as ? html` class="n"` : html``}>${title}</th>`)
  const body = rows.map(
    (row) => html`<tr>${row.map((cell, i) => formatTableCell(cell, columns[i]?.as, most[i] ?? 0))}</tr>
`,
  )
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

function formatTableCell(cell: Cell, as: 'number' | 'bar' | undefined, most: number): Html {
  if (as === 'bar') return html`<td class="n b">${formatCell(cell)}${formatBar(amount(cell) / most)}</td>`
  return as === 'number' ? html`<td class="n">${formatCell(cell)}</td>` : html`<td>${formatCell(cell)}</td>`
}

const amount = (cell: Cell | undefined): number => (typeof cell === 'number' ? cell : 0)

/** Beside the figure that it shows, so it says nothing to those who do not see it. */
function formatBar(share: number): Html {
  const width = Number.isFinite(share) ? Math.round(share * 1000) / 10 : 0
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="4"/><rect class="fill" width="${width}" height="4"/></svg>`
}

/** Few columns are no wider than `WIDEST`: one hour is no wall. */
const [CHART_WIDTH, CHART_HEIGHT, WIDEST] = [720, 100, 48]

/** Columns over time, each series with its own scale; every figure also stands in the table below. */
function formatChart({ caption, steps, series }: Chart): Html {
  if (steps.length === 0) return html`<p class="none">${caption}: no events.</p>`
  const columns = [{ title: 'from' }, ...series.map(({ title }) => ({ title, as: 'number' as const }))]
  const rows = steps.map((at, i) => [at, ...series.map(({ values }) => values[i] ?? 0)])
  return html`<figure><figcaption>${caption}</figcaption>
${series.map(formatSeries)}
<div class="ends">${(steps.length === 1 ? steps : [steps[0]!, steps.at(-1)!]).map((step) => html`<span>${step}</span>`)}</div>
<details><summary>The figures</summary>${formatTable({ kind: 'table', caption, columns, rows, empty: '' })}</details></figure>`
}

function formatSeries({ title, values }: Series): Html {
  const most = Math.max(0, ...values)
  const step = CHART_WIDTH / values.length
  const width = Math.min(0.84 * step, WIDEST)
  const columns = values.map((value, i) => {
    const height = most === 0 ? 0 : (value / most) * CHART_HEIGHT
    return html`<rect x="${round((i + 0.5) * step - width / 2)}" y="${round(CHART_HEIGHT - height)}" width="${round(width)}" height="${round(height)}"/>`
  })
  const label = `${title}: ${formatNumber(values.reduce((sum, value) => sum + value, 0))}, at most ${formatNumber(most)} in a column`
  return html`<p class="series">${label}</p><svg class="chart" viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${columns}<line class="axis" x1="0" y1="${CHART_HEIGHT}" x2="${CHART_WIDTH}" y2="${CHART_HEIGHT}"/></svg>
`
}

const round = (value: number): number => Math.round(value * 100) / 100
