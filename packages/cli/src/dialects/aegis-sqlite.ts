/**
 * Aegis's `audit_log` table: written and read as rows of the dialect `aegis-rows`.
 *
 * The file is made beside its name and renamed at the end. Source: `runtime/audit.py` of agent-aegis (columns, indexes).
 * @module
 */
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { AEGIS_INSERT_SQL, AEGIS_TABLE_SQL, DIALECTS, type DialectOptions, toAegisValues } from '@sworn/dialects/formats'
import { type DatabaseSync, loadSqlite } from '@sworn/recorder/sqlite'
import { SwornError } from '@sworn/verify'
import { openLineFile, readBack } from './line-file.ts'
import { type Exported, SIDECAR, type Target } from './target.ts'

const ROWS = DIALECTS.find(({ name }) => name === 'aegis-rows')!
const BATCH = 1000

/** A database in `path`, there whole or not at all; the events whole in its sidecar. @throws SwornError NODE_TOO_OLD */
export async function openAegisTarget(path: string, name: string, options: DialectOptions): Promise<Target> {
  const { DatabaseSync } = await loadSqlite()
  const part = `${path}.part`
  rmSync(part, { force: true })
  const db = new DatabaseSync(part)
  chmodSync(part, 0o600)
  db.exec(`PRAGMA journal_mode = MEMORY; ${AEGIS_TABLE_SQL} BEGIN`)
  const insert = db.prepare(AEGIS_INSERT_SQL)
  const writer = ROWS.openWriter(options)
  const sidecar = openLineFile(path + SIDECAR)
  let rows = 0
  return {
    async write(entry) {
      const { lines, beside } = await writer.write(entry)
      for (const line of lines) insert.run(...toAegisValues(JSON.parse(line)))
      rows += lines.length
      if (rows % BATCH === 0) db.exec('COMMIT; BEGIN')
      if (beside) sidecar.write(JSON.stringify(beside))
    },
    async close(): Promise<Exported> {
      db.exec('COMMIT')
      const found = db.prepare('SELECT count(*) AS n FROM audit_log').get()?.n
      db.close()
      if (found !== rows) throw new SwornError('IO_FAILED', `${rows} rows were written, ${String(found)} are there`, path)
      const besides = await sidecar.close()
      const { bytes, sha256 } = await readBack(part)
      renameSync(part, path)
      return { name, file: { rows, bytes, sha256 }, sidecar: { name: name + SIDECAR, ...besides } }
    },
    discard() {
      if (db.isOpen) db.close()
      rmSync(part, { force: true })
      sidecar.discard()
    },
  }
}

/** Rows of a database, and the number that the table gave last where it keeps one. */
export interface AegisRows {
  /** Of `aegis-rows`, in the order of their numbers. */
  readonly lines: string[]
  readonly highest?: number
}

/**
 * The rows of a database, which may be made to harm: only a plain table is read, of text and numbers, up to `maxBytes`.
 * @throws SwornError NODE_TOO_OLD, JSON_INVALID when it is no such database
 */
export async function readAegisRows(path: string, maxBytes: number): Promise<AegisRows> {
  const { DatabaseSync } = await loadSqlite()
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(toAddress(path), { readOnly: true })
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    checkPlain(db)
    const highest = db.prepare('SELECT max(seq) AS seq FROM sqlite_sequence WHERE name = ?').get('audit_log')?.seq
    return { lines: readLines(db, maxBytes), ...(typeof highest === 'number' && { highest }) }
  } catch (cause) {
    throw new SwornError('JSON_INVALID', 'an SQLite database with the table audit_log was expected', path, { cause })
  } finally {
    db?.close()
  }
}

/** Nothing is to appear beside a file that nobody has open: without a WAL that holds more of it, it is read as it lies there. */
function toAddress(path: string): URL {
  const address = pathToFileURL(path)
  if (!existsSync(`${path}-wal`)) address.search = '?immutable=1'
  return address
}

/** A view, a virtual table or a generated column would run what whoever made the file wrote. */
function checkPlain(db: DatabaseSync): void {
  const kinds = db.prepare("SELECT type FROM pragma_table_list('audit_log') WHERE schema = 'main'").all()
  const made = db.prepare("SELECT count(*) AS n FROM pragma_table_xinfo('audit_log') WHERE hidden <> 0").get()?.n
  if (kinds.length !== 1 || kinds[0]?.type !== 'table' || made !== 0) throw new Error('audit_log is not a plain table')
}

function readLines(db: DatabaseSync, maxBytes: number): string[] {
  const lines: string[] = []
  let bytes = 0
  for (const row of db.prepare('SELECT * FROM audit_log ORDER BY id').iterate()) {
    if (Object.values(row).some((value) => ArrayBuffer.isView(value))) throw new Error('a column is neither text nor a number')
    const line = JSON.stringify(row)
    bytes += line.length
    if (bytes > maxBytes) throw new Error('the rows are too large')
    lines.push(line)
  }
  return lines
}
