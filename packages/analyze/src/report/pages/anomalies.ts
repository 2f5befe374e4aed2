/**
 * What alert rules find in the period, and what was recorded as an alert.
 * @module
 */
import { data, type Paragraph, type Section, type Table, text } from '../document.ts'
import type { FoundAnomalies } from '../findings.ts'
import type { Anomalies } from '../protection.ts'
import { more, tallyTable } from './summary.ts'

export function anomaliesSection(recorded: Anomalies, found: FoundAnomalies | undefined): Section {
  return {
    title: 'Anomalies',
    level: 2,
    blocks: [
      ...(found
        ? [...beforeText(found), tallyTable('Found in this period, by rule', 'rule', found.by_rule, 'findings'), foundTable(found)]
        : [text('No rule looked for anomalies.')]),
      tallyTable('Recorded alerts by rule', 'rule', recorded.by_rule, 'alerts'),
      recordedTable(recorded),
    ],
  }
}

function beforeText({ before }: FoundAnomalies): Paragraph[] {
  if (!before) return []
  const { entries, from } = before
  const seen = entries === 1 ? '1 entry' : `${entries} entries`
  return [text(`To know what is usual the rules were shown ${seen} from before the period, from ${from ?? '–'} on.`)]
}

function foundTable(found: FoundAnomalies): Table {
  return {
    kind: 'table',
    caption: `What was found${more(found)}`,
    columns: [{ title: 'time' }, { title: 'severity' }, { title: 'what' }, { title: 'proven by' }],
    rows: found.newest.map((one) => [one.timestamp ?? '–', one.severity, data(one.text), seqs(one.evidence)]),
    empty: 'nothing.',
  }
}

function recordedTable(recorded: Anomalies): Table {
  return {
    kind: 'table',
    caption: `Recorded alerts${more(recorded)}`,
    columns: [
      { title: 'seq', as: 'number' },
      { title: 'time' },
      { title: 'rule' },
      { title: 'severity' },
      { title: 'reason' },
      { title: 'proven by' },
    ],
    rows: recorded.newest.map((one) => [
      `${one.seq}`,
      one.timestamp ?? '–',
      data(one.rule),
      data(one.severity),
      data(one.reason),
      seqs(one.evidence),
    ]),
    empty: 'none.',
  }
}

const seqs = (evidence: readonly number[]): string => (evidence.length === 0 ? '–' : `seq ${evidence.join(', ')}`)
