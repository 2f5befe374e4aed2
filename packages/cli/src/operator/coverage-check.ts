/** Whether calls went by unseen lately: the newest entries, gone through as the report does. @module */
import { createSilentHooks, createUnseen, type SilentHooks } from '@sworn/analyze/actions'
import { findLedger, parseEntry, readNewest } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import { escapeText } from '../text/escape.ts'
import type { Check } from './sink-checks.ts'

const ENTRIES = 10_000

/**
 * A call that a model asked for and nobody recorded is wrong: something is not covered. So is a session of a client whose
 * hooks are on record otherwise. A call without an end, and a client that only its telemetry tells of, are told.
 */
export async function checkCoverage(ledger: string, cwd: string): Promise<Check> {
  const what = 'coverage'
  try {
    const { lines } = await readNewest(findLedger(ledger, cwd), { count: ENTRIES, match: parseEntry, onUnreadable: () => {} })
    const unseen = createUnseen()
    const hooks = createSilentHooks()
    for (const bytes of lines) {
      const entry = parseEntry({ bytes })
      if (!entry) continue
      unseen.add(entry)
      hooks.add(entry)
    }
    const silent = hooks.done()
    const { announced_not_recorded: missed, no_outcome: open, newest } = unseen.done()
    const last = newest.findLast(({ finding }) => finding === 'announced_not_recorded')
    const example = last ? `, the last ${last.tool ?? 'one'} at seq ${last.seq}` : ''
    const told = `of the newest ${lines.length} entries: ${missed} calls that a model asked for are not recorded${example}; ${open} calls have no outcome${silent.map(tellSilent).join('')}`
    return { what, ok: missed === 0 && !silent.some(({ hooks_elsewhere: elsewhere }) => elsewhere), detail: escapeText(told) }
  } catch (e) {
    if (SwornError.is(e, 'LEDGER_NOT_FOUND')) return { what, ok: true, detail: 'nothing is recorded yet' }
    return { what, ok: false, detail: SwornError.is(e) ? `${e.code} ${e.message}` : 'cannot be read' }
  }
}

function tellSilent({ client, sessions, seq }: SilentHooks): string {
  return `; hooks of ${client} silent: ${sessions} sessions are told of by its telemetry alone, the last at seq ${seq}`
}
