/**
 * One way to take in all lines of a ledger: into the index, through `JSON.parse` alone, or whole into SQLite.
 *
 * Answers milliseconds of wall clock, from the first byte to the last one committed; the start of Node is left out.
 * @module
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { feedIndex, openIndexDatabase, removeIndex } from '@sworn/analyze'
import { findLedger, readLedger } from '@sworn/analyze/reading'
import { answer, childTask } from '../harness/child.ts'

export interface ReadTask {
  readonly way: 'index' | 'parse' | 'bodies'
  readonly directory: string
}

export interface ReadAnswer {
  readonly ms: number
}

const COLUMNS = ['event_type', 'decision', 'tool', 'user', 'session_id'] as const

const { way, directory } = childTask<ReadTask>()
const files = findLedger(directory, '/')
const ways = { index, parse, bodies }
const start = performance.now()
await ways[way]()
answer({ ms: performance.now() - start } satisfies ReadAnswer)

async function index(): Promise<void> {
  removeIndex(directory)
  const opened = await openIndexDatabase(directory)
  await feedIndex(opened, files)
  opened.close()
}

async function parse(): Promise<void> {
  for await (const { bytes } of readLedger(files)) JSON.parse(bytes.toString('utf8'))
}

/** Whole lines and five columns with an index each, as people do it: 4,096 a transaction, no sync. */
async function bodies(): Promise<void> {
  const db = new DatabaseSync(join(directory, 'bodies.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; DROP TABLE IF EXISTS entry')
  db.exec(`CREATE TABLE entry (seq INTEGER PRIMARY KEY, line TEXT, ${COLUMNS.join(', ')})`)
  for (const column of COLUMNS) db.exec(`CREATE INDEX by_${column} ON entry (${column})`)
  const insert = db.prepare('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)')
  let count = 0
  db.exec('BEGIN')
  for await (const { bytes } of readLedger(files)) {
    const line = bytes.toString('utf8')
    const entry = JSON.parse(line)
    insert.run(entry.seq, line, ...COLUMNS.map((column) => entry[column] ?? null))
    if (++count % 4096 === 0) db.exec('COMMIT; BEGIN')
  }
  db.exec('COMMIT')
  db.close()
}
