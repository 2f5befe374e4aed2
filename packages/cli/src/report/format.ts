/**
 * In which format a report is written, and where to.
 * @module
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { formatHtml, formatMarkdown, type Report, toDocument } from '@sworn/analyze/report'
import { SwornError } from '@sworn/verify'

export const FORMATS = ['html', 'md', 'json', 'jsonl'] as const
export type Format = (typeof FORMATS)[number]

const BY_NAME: Readonly<Record<string, Format>> = { '.html': 'html', '.htm': 'html', '.md': 'md', '.json': 'json', '.jsonl': 'jsonl' }

/**
 * As asked for, else by the name of the file, else Markdown.
 * @throws SwornError USAGE for jsonl without a person: only a copy of entries is lines
 */
export function chooseFormat(asked: string | undefined, output: string | undefined, subject: string | undefined): Format {
  const format = (asked as Format | undefined) ?? BY_NAME[extname(output ?? '').toLowerCase()] ?? 'md' // one of the choices
  if (format === 'jsonl' && subject === undefined)
    throw new SwornError('USAGE', 'jsonl copies the entries of one person: --subject was expected', '--format')
  return format
}

export function formatReport(report: Report, format: Exclude<Format, 'jsonl'>): string {
  if (format === 'json') return `${JSON.stringify(report, null, 2)}\n`
  const document = toDocument(report)
  return format === 'html' ? formatHtml(document) : formatMarkdown(document)
}

/** Writes a file that is there whole or not at all, 0600: a report says what the ledger says. */
export function writeWhole(path: string, text: string): void {
  const part = `${path}.part`
  try {
    writeFileSync(part, text, { mode: 0o600 })
    renameSync(part, path)
  } catch (e) {
    rmSync(part, { force: true })
    throw e
  }
}
