/**
 * A report as a document: which sections, in which order.
 * @module
 */
import { type Document, data, facts } from '../document.ts'
import type { Report } from '../types.ts'
import { anomaliesSection } from './anomalies.ts'
import { frameworkSections } from './framework.ts'
import { integritySection } from './integrity.ts'
import { processingSection, subjectSection } from './processing.ts'
import { duration, summarySections } from './summary.ts'

export function toDocument(report: Report): Document {
  const { framework, subject, processing, integrity } = report
  return {
    title: framework ? `Evidence for ${framework.title}` : 'Audit report',
    lead: [
      facts(
        ['ledger', data(integrity?.origin)],
        ['from', moment(report.since ?? report.first)],
        ['until', moment(report.until ?? report.last)],
        ['covers', duration(report.period_hours === null ? null : report.period_hours * 3_600_000)],
        ['made', moment(report.generated)],
      ),
    ],
    sections: [
      ...(subject ? [subjectSection(subject, report)] : []),
      integritySection(integrity, report.unreadable),
      ...(framework ? frameworkSections(framework, report) : []),
      ...(processing ? [processingSection(processing)] : []),
      ...summarySections(report),
      anomaliesSection(report.anomalies, report.found_anomalies),
    ],
  }
}

/** `2026-01-31 13:00:00 UTC`. */
function moment(time: string | null): string {
  return time === null ? '–' : `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
}
