/**
 * Records of processing (GDPR Art. 30), and what concerns one person (Art. 15).
 * @module
 */
import { type Cell, data, facts, type Section, text, warning } from '../document.ts'
import type { Processing } from '../processing.ts'
import type { Report, Subject } from '../types.ts'

export function processingSection({ purposes, others }: Processing): Section {
  return {
    title: 'Records of processing (GDPR Art. 30)',
    level: 2,
    blocks: [
      text(
        'Purpose: the tool. Categories of data: the names of its arguments; values are not shown. Recipients: the servers and providers it went to.',
      ),
      {
        kind: 'table',
        caption: 'Processing by purpose',
        columns: [
          { title: 'purpose' },
          { title: 'entries', as: 'number' },
          { title: 'categories of data' },
          { title: 'persons', as: 'number' },
          { title: 'recipients' },
          { title: 'first' },
          { title: 'last' },
        ],
        rows: purposes.map((one): Cell[] => [
          { data: one.purpose },
          one.entries,
          names(one.categories),
          one.people_more ? `${one.people} or more` : one.people,
          names(one.recipients),
          one.first ?? '–',
          one.last ?? '–',
        ]),
        empty: 'none.',
      },
      ...(others > 0 ? [text(others, ' entries of other purposes.')] : []),
      text(
        'Not in a ledger: the controller and its contacts, transfers to third countries, and the time limits for erasure (Art. 30(1)(a), (e), (f)).',
      ),
    ],
  }
}

export function subjectSection({ user, mentions }: Subject, report: Report): Section {
  return {
    title: 'One person (GDPR Art. 15)',
    level: 2,
    blocks: [
      text('Everything in this report is about entries whose user is ', { data: user }, '.'),
      facts(
        ['entries', report.total_entries],
        ['decisions to deny', report.calls.denied],
        ['first', report.first ?? '–'],
        ['last', report.last ?? '–'],
      ),
      ...(mentions > 0
        ? [warning(mentions, ' other entries mention this text; they are not in the figures. `sworn query --text` finds them.')]
        : [text('No other entry mentions this text.')]),
      text('A copy of the entries as stored (Art. 15(3)): the same command with --format jsonl.'),
    ],
  }
}

const names = (list: readonly string[]): Cell => (list.length === 0 ? '–' : data(list.join(', ')))
