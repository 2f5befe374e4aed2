/**
 * Makes a report with a framework, as `sworn report` does behind the check of the ledger, and says what it took.
 *
 * Fails unless every entry was counted: a report of half a ledger has not done the job.
 * @module
 */
import { openSource } from '@sworn/analyze'
import { BUILT_IN } from '@sworn/analyze/alerts'
import { findLedger } from '@sworn/analyze/reading'
import { createReport, FRAMEWORKS, formatHtml, toDocument } from '@sworn/analyze/report'
import { keepYoungSmall } from '../../packages/cli/src/reading/steady.ts'
import { answer, childTask, peakMb } from '../harness/child.ts'

export interface ReportTask {
  readonly directory: string
  readonly entries: number
  /** false: read every line. */
  readonly index: boolean
}

export interface ReportAnswer {
  readonly peakMb: number
  /** Peak before the first line was read, with an index that is up to date. */
  readonly bareMb: number
  readonly ms: number
}

const { directory, entries, index } = childTask<ReportTask>()
keepYoungSmall()
const source = await openSource(findLedger(directory, '/'), { index, threads: 1 })
if (index && source.kind !== 'index') throw new Error('the ledger could not be indexed')
const bareMb = peakMb()
const start = performance.now()
const sampling = { root: new Uint8Array(32), size: entries }
const report = await createReport(source, { framework: FRAMEWORKS[0], sampling, rules: BUILT_IN, integrity: null, now: Date.now() })
const page = formatHtml(toDocument(report))
const ms = performance.now() - start
source.close()
if (report.total_entries !== entries || page.length === 0)
  throw new Error(`${entries} entries were expected, found ${report.total_entries}`)
answer({ peakMb: peakMb(), bareMb, ms } satisfies ReportAnswer)
