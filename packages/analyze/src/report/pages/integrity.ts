/**
 * The claim table of a verification.
 * @module
 */
import { data, type Section, text, warning } from '../document.ts'
import type { Integrity } from '../integrity.ts'

export function integritySection(integrity: Integrity | null, unreadable: number): Section {
  const lines = unreadable > 0 ? [warning(unreadable, ' lines are no entries and are in no figure.')] : []
  if (!integrity)
    return { title: 'Integrity', level: 2, blocks: [warning('Not checked: the figures are of the ledger as it is stored.'), ...lines] }
  const { verdict, holds, claims, findings, finding_count: count } = integrity
  return {
    title: 'Integrity',
    level: 2,
    blocks: [
      holds ? text(data(verdict)) : warning(data(verdict)),
      ...lines,
      {
        kind: 'table',
        caption: 'Claims of the whole ledger, as sworn verify makes them',
        columns: [{ title: 'claim' }, { title: 'holds' }, { title: 'detail' }],
        rows: claims.map((one) => [one.claim, one.holds ? 'holds' : 'no', data(one.detail)]),
        empty: '',
      },
      {
        kind: 'table',
        caption: count > findings.length ? `The first ${findings.length} of ${count} findings` : 'Findings',
        columns: [{ title: 'severity' }, { title: 'finding' }, { title: 'at' }, { title: 'message' }],
        rows: findings.map((one) => [one.severity, one.class, data(one.at), data(one.message)]),
        empty: 'none.',
      },
    ],
  }
}
