/**
 * What the sqlite sink holds: the rows that `sworn_entry` names, as the dialect says them.
 *
 * Rows that Aegis wrote itself name no entry and are left alone; so is what somebody added beside them.
 * @module
 */
import { AEGIS_COLUMNS } from '@sworn/dialects'
import { loadSqlite } from '@sworn/recorder/sqlite'
import { SwornError } from '@sworn/verify'
import type { Held, OpenHoldings } from '../holdings.ts'
import { failureOf, type SqliteOptions } from './sqlite.ts'

const COLUMNS = AEGIS_COLUMNS.filter((column) => column !== 'id').join(', ')
const ROWS_SQL = `SELECT seq, ${COLUMNS} FROM sworn_entry JOIN audit_log USING (id) WHERE origin = ? AND seq >= ? AND seq < ? ORDER BY seq`

export function sqliteHoldings({ path, origin }: SqliteOptions): OpenHoldings {
  return async () => {
    const { DatabaseSync: Database } = await loadSqlite()
    const db = attempt(path, () => new Database(path, { readOnly: true }))
    return {
      compares: 'values',
      findsExtra: false,
      async *read({ from, to }, signal): AsyncGenerator<Held> {
        const rows = attempt(path, () => db.prepare(ROWS_SQL).iterate(origin, from, to))
        for (;;) {
          signal.throwIfAborted()
          const { done, value: row } = attempt(path, () => rows.next())
          if (done) return
          const { seq, ...members } = row
          yield { seq: Number(seq), body: JSON.stringify({ id: Number(seq), ...members }) }
        }
      },
      close: async () => db.close(),
    }
  }
}

/** @throws SwornError SINK_UNREADABLE */
function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw new SwornError('SINK_UNREADABLE', `the table cannot be read (${failureOf(cause).text})`, path, { cause })
  }
}
