/**
 * The claims of a foreign log, printed as `sworn verify` prints ours, and what its format cannot prove.
 * @module
 */
import type { ForeignReport } from '@sworn/dialects'
import { LEVELS } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { createPaint } from '../text/colour.ts'
import { escapeText } from '../text/escape.ts'
import { formatWhole } from '../text/table.ts'
import type { ForeignVerdict } from './foreign.ts'

const SHOWN_FINDINGS = 20

export async function printForeign(name: string, report: ForeignReport, verdict: ForeignVerdict, io: Io): Promise<void> {
  const paint = createPaint(io)
  await io.out(escapeText(`${name}: ${report.records} records, ${report.format}`))
  const rows = LEVELS.map((level) => {
    const { holds, possible, detail } = report.claims[level]
    return [level, holds ? 'holds' : possible ? 'no' : 'cannot', detail]
  })
  const width = io.isTTY ? io.columns : Number.POSITIVE_INFINITY
  for (const line of formatWhole(['CLAIM', 'HOLDS', 'DETAIL'], rows, width)) await io.out(line)
  for (const { class: name, record, message } of report.findings.slice(0, SHOWN_FINDINGS)) {
    await io.out(paint.red(escapeText(`finding: ${name}${record === undefined ? '' : ` at record ${record}`}: ${message}`)))
  }
  const more = report.findings.length - SHOWN_FINDINGS + report.findingsOmitted
  if (more > 0) await io.out(`and ${more} more; --json shows up to 1,000`)
  for (const limit of report.cannot) await io.out(`not shown: ${limit}`)
  await io.out((verdict.exit === 0 ? paint.green : paint.red)(escapeText(verdict.lastLine)))
}

/** The same as one JSON object. */
export function foreignJson(report: ForeignReport, verdict: ForeignVerdict): object {
  return { ok: verdict.exit === 0, verdict: verdict.lastLine, ...report }
}
