/**
 * SQL over the index, for people: the table `entries`, read only.
 *
 * The statement may select and call functions and do nothing else: SQLite asks before each step (its authorizer), so
 * no statement writes, attaches another file or changes a setting, whatever it is made of.
 * @module
 */
import type { LedgerFiles } from '@sworn/recorder/segments'
import { type DatabaseSync, loadSqlite } from '@sworn/recorder/sqlite'
import { SwornError } from '@sworn/verify'
import { createTables } from './index/database.ts'
import { openFed, type SourceOptions } from './open-index.ts'

export type SqlValue = string | number | null

export interface SqlAnswer {
  readonly columns: readonly string[]
  /** May be gone through once; a row's values in the order of `columns`, bytes as hex, integers of more than 53 bits as text. */
  readonly rows: Iterable<readonly SqlValue[]>
  close(): void
}

/**
 * Brings the index up to date and asks it.
 *
 * @throws SwornError USAGE for a statement that SQLite refuses, that does more than read, or that is not alone; NODE_TOO_OLD;
 *   LINE_MALFORMED for a ledger that cannot be indexed. Rows are read as they are asked for, so an error may come with one,
 *   and each is computed in one go: nothing else of the process runs meanwhile, signal handlers included
 */
export async function askSql(files: LedgerFiles, directory: string, statement: string, options: SourceOptions = {}): Promise<SqlAnswer> {
  await tryOut(statement)
  const { db } = await openFed(files, directory, options)
  try {
    allowReadingOnly(db)
    const prepared = db.prepare(statement)
    const columns = prepared.columns().map(({ name }) => name)
    const arranged = prepared as typeof prepared & ReturningArrays // 24.16 is the floor of loadSqlite
    arranged.setReturnArrays(true) // two columns may have one name
    prepared.setReadBigInts(true)
    return { columns, rows: readRows(prepared.iterate()), close: () => db.close() }
  } catch (e) {
    db.close()
    throw toUsage(e)
  }
}

/** Refuses a statement before anything is indexed for it. */
async function tryOut(statement: string): Promise<void> {
  const { DatabaseSync } = await loadSqlite()
  const db = new DatabaseSync(':memory:')
  try {
    createTables(db, 0)
    allowReadingOnly(db)
    const prepared = db.prepare(statement)
    if (prepared.columns().length === 0) throw new SwornError('USAGE', 'a statement that selects was expected', 'SQL')
    if (/[^\s;]/.test(statement.slice(prepared.sourceSQL.length))) throw new SwornError('USAGE', 'one statement was expected', 'SQL')
  } catch (e) {
    throw toUsage(e)
  } finally {
    db.close()
  }
}

/** What @types/node does not know yet of Node 24.0 and later, and of 24.10 and later. */
interface ReturningArrays {
  setReturnArrays(enabled: boolean): void
}
interface Authorizing {
  setAuthorizer(ask: (action: number, first: string | null, second: string | null) => number): void
}

const ALLOWED = new Set([20 /* read a column */, 21 /* select */, 31 /* call a function */, 33 /* recurse */])
const OK = 0
const DENY = 1

function allowReadingOnly(db: DatabaseSync): void {
  const authorizing = db as DatabaseSync & Authorizing // 24.16 is the floor of loadSqlite
  authorizing.setAuthorizer((action) => (ALLOWED.has(action) ? OK : DENY))
}

function* readRows(rows: Iterable<unknown>): Generator<SqlValue[]> {
  try {
    for (const row of rows) yield (row as unknown[]).map(toValue) // arrays, as was asked for
  } catch (e) {
    throw toUsage(e)
  }
}

function toValue(value: unknown): SqlValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return typeof value === 'string' || typeof value === 'number' ? value : null
}

const STATEMENT_FAULTS: ReadonlySet<unknown> = new Set(['ERR_SQLITE_ERROR', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE'])

/** SQLite's words about the statement, which is the operator's own. */
function toUsage(e: unknown): unknown {
  return e instanceof Error && 'code' in e && STATEMENT_FAULTS.has(e.code)
    ? new SwornError('USAGE', `SQL that only reads from the table \`entries\` was expected: ${e.message}`, 'SQL', { cause: e })
    : e
}
