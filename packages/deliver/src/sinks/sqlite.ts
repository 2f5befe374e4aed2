/**
 * Aegis's `audit_log` table in SQLite, for the tools that read it: a row an entry, each entry once.
 *
 * A batch is one transaction, synced when it is accepted. Which entry a row is stands beside it, in
 * `sworn_entry (origin, seq, id)`: Aegis's own table is as Aegis makes it, and may be one that it has. What is deleted
 * there comes back when it is delivered again. Source: `runtime/audit.py` of agent-aegis, as dialect `aegis-rows`.
 * @module
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { AEGIS_INSERT_SQL, AEGIS_TABLE_SQL, toAegisValues } from '@sworn/dialects'
import { type DatabaseSync, loadSqlite, type Sqlite } from '@sworn/recorder/sqlite'
import { type JsonObject, SwornError } from '@sworn/verify'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'

export interface SqliteOptions {
  readonly path: string
  /** The ledger's. */
  readonly origin: string
}

/** Small: the thread waits while a transaction runs. */
const LIMITS = { items: 200, bytes: 1 << 20 }
/** As long as that may be for another writer of the database. */
const BUSY_MS = 50
const PLACES_SQL = `CREATE TABLE IF NOT EXISTS sworn_entry (
  origin TEXT NOT NULL, seq INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (origin, seq)) WITHOUT ROWID;`
/** Result codes of SQLite that say that the row will never do: TOOBIG, CONSTRAINT, MISMATCH. */
const REFUSED: ReadonlySet<number> = new Set([18, 19, 20])

export function sqliteSink({ path, origin }: SqliteOptions): OpenSink {
  return async () => {
    const { DatabaseSync: Database } = await loadSqlite()
    const db = openDatabase(path, Database)
    const store = createStore(db, origin)
    return {
      limits: LIMITS,
      async send(items): Promise<Outcome> {
        try {
          transact(db, 'COMMIT', () => items.forEach(store))
          return {}
        } catch (e) {
          const { code, text } = failureOf(e)
          return REFUSED.has(code) ? { whole: text } : allAgain(items, text)
        }
      },
      probe: async () => probe(db),
      close: async () => db.close(),
    }
  }
}

/** Made 0600 where it is not there. @throws SwornError IO_FAILED */
function openDatabase(path: string, Database: Sqlite['DatabaseSync']): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    db = new Database(path)
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${AEGIS_TABLE_SQL} ${PLACES_SQL}`)
    return db
  } catch (cause) {
    db?.close()
    throw new SwornError('IO_FAILED', `the database cannot be used (${failureOf(cause).text})`, path, { cause })
  }
}

function createStore(db: DatabaseSync, origin: string): (item: Item) => void {
  const find = db.prepare('SELECT 1 FROM sworn_entry JOIN audit_log USING (id) WHERE origin = ? AND seq = ?')
  const insert = db.prepare(AEGIS_INSERT_SQL)
  const place = db.prepare('INSERT OR REPLACE INTO sworn_entry (origin, seq, id) VALUES (?, ?, ?)')
  return ({ seq, body }) => {
    if (find.get(origin, seq)) return
    const row: JsonObject = { ...JSON.parse(body), id: null } // its number is the table's
    place.run(origin, seq, insert.run(...toAegisValues(row)).lastInsertRowid)
  }
}

function transact(db: DatabaseSync, end: 'COMMIT' | 'ROLLBACK', act: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    act()
    db.exec(end)
  } catch (e) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw e
  }
}

/** A row as an entry would make one, read back and taken away again before anybody sees it. */
function probe(db: DatabaseSync): Probed {
  try {
    let count: unknown
    transact(db, 'ROLLBACK', () => {
      const { lastInsertRowid } = db.prepare(AEGIS_INSERT_SQL).run(...toAegisValues({ action_type: 'sworn probe' }))
      count = db.prepare('SELECT count(*) AS n FROM audit_log WHERE id = ? AND action_type = ?').get(lastInsertRowid, 'sworn probe')?.n
    })
    return count === 1
      ? { shown: 'a row was written, read back and taken away again' }
      : { wrong: 'a row is not there after it was written' }
  } catch (e) {
    return { wrong: failureOf(e).text }
  }
}

/** SQLite's own words for its result code: they name no value. */
export function failureOf(e: unknown): { code: number; text: string } {
  if (!(e instanceof Error)) return { code: 0, text: 'it failed' }
  const code = 'errcode' in e && typeof e.errcode === 'number' ? e.errcode & 0xff : 0
  if (code > 0 && 'errstr' in e) return { code, text: `SQLite: ${String(e.errstr)}` }
  return { code, text: 'code' in e ? String(e.code) : 'it failed' }
}
