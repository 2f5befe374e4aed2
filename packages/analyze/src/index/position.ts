/**
 * How far a ledger is indexed, without making, mending or feeding the index.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadSqlite } from '@sworn/recorder/sqlite'
import { INDEX_NAME } from './database.ts'

/** Whoever asks may serve others too. */
const BUSY_MS = 1000

/**
 * The seq up to which entries are in the index of the ledger whose files lie in `directory`; undefined where there is none, or
 * it is being made.
 * @throws SwornError NODE_TOO_OLD; SQLite's error for a file that is no index
 */
export async function readIndexPosition(directory: string): Promise<number | undefined> {
  const path = join(directory, INDEX_NAME)
  if (!existsSync(path)) return undefined
  const { DatabaseSync } = await loadSqlite()
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })
  try {
    if (db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0) return undefined
    const next = db.prepare('SELECT next_seq FROM cursor').get()?.next_seq
    return typeof next === 'number' ? next : undefined
  } finally {
    db.close()
  }
}
