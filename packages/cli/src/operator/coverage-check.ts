/** Whether calls went by unseen lately: the newest entries, gone through as the report does. @module */
import { createUnseen } from '@sworn/analyze/actions'
import { findLedger, parseEntry, readNewest } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import { escapeText } from '../text/escape.ts'
import type { Check } from './sink-checks.ts'

const ENTRIES = 10_000

/** A call that a model asked for and nobody recorded is wrong: something is not covered. One without an end is told. */
export async function checkCoverage(ledger: string, cwd: string): Promise<Check> {
  const what = 'coverage'
  try {
    const { lines } = await readNewest(findLedger(ledger, cwd), { count: ENTRIES, match: parseEntry, onUnreadable: () => {} })
    const unseen = createUnseen()
    for (const bytes of lines) {
      const entry = parseEntry({ bytes })
      if (entry) unseen.add(entry)
    }
    const { announced_not_recorded: missed, no_outcome: open, newest } = unseen.done()
    const last = newest.findLast(({ finding }) => finding === 'announced_not_recorded')
    const example = last ? `, the last ${last.tool ?? 'one'} at seq ${last.seq}` : ''
    const told = `of the newest ${lines.length} entries: ${missed} calls that a model asked for are not recorded${example}; ${open} calls have no outcome`
    return { what, ok: missed === 0, detail: escapeText(told) }
  } catch (e) {
    if (SwornError.is(e, 'LEDGER_NOT_FOUND')) return { what, ok: true, detail: 'nothing is recorded yet' }
    return { what, ok: false, detail: SwornError.is(e) ? `${e.code} ${e.message}` : 'cannot be read' }
  }
}
