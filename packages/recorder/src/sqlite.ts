/**
 * The one door to `node:sqlite`: loaded when asked for, and only where it keeps what it is given.
 *
 * Before 24.16 and 26.1 it cuts texts at an embedded NUL without a word, and SQLite before 3.51.3 can damage a
 * database in WAL mode: what loses bytes is worse than nothing. Besides the version, a round trip is tested.
 * @module
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { SwornError } from '@sworn/verify'

export type { DatabaseSync } from 'node:sqlite'
export type Sqlite = typeof import('node:sqlite')

const NEEDED = '24.16'
const SQLITE_NEEDED = [3, 51, 3]

/**
 * `node:sqlite`, once it has shown that it can be trusted.
 * @throws SwornError NODE_TOO_OLD naming the version found and the one needed
 */
export async function loadSqlite(version = process.versions.node): Promise<Sqlite> {
  if (!isSupported(version)) throw new SwornError('NODE_TOO_OLD', `Node ${version} found, ${NEEDED} needed for SQLite`)
  const sqlite = await import('node:sqlite')
  const db = new sqlite.DatabaseSync(':memory:')
  try {
    checkRoundTrip(db, version)
  } finally {
    db.close()
  }
  return sqlite
}

/** What @types/node does not know yet of Node 24. */
interface ReturningArrays {
  setReturnArrays(enabled: boolean): void
}

type ArrayRows = readonly (readonly SQLOutputValue[])[]

/** Rows as arrays of their columns, one after the other, which cost half of what objects do. */
export function iterateArrays(statement: StatementSync, parameters: readonly SQLInputValue[]): Iterable<ArrayRows[number]> {
  return returningArrays(statement).iterate(...parameters) as Iterable<unknown> as Iterable<ArrayRows[number]>
}

/** The same, all of them at once, which costs half as much again. */
export function allArrays(statement: StatementSync, parameters: readonly SQLInputValue[]): ArrayRows {
  return returningArrays(statement).all(...parameters) as unknown as ArrayRows
}

function returningArrays(statement: StatementSync): StatementSync {
  const returning = statement as StatementSync & ReturningArrays // 24.16 is the floor of loadSqlite
  returning.setReturnArrays(true)
  return returning
}

/** `^24.16.0 || >=26.1.0`: every 25 has the fault. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return (major === 24 && minor >= 16) || (major === 26 && minor >= 1) || major > 26
}

function checkRoundTrip(db: DatabaseSync, version: string): void {
  const row = db.prepare('SELECT sqlite_version() AS version, ? AS nul, ? AS lone').get('a\0b', 'a\ud800b')
  const found = String(row?.version).split('.').map(Number)
  const isOld = SQLITE_NEEDED.reduceRight((older, needed, i) => (found[i] === needed ? older : (found[i] ?? 0) < needed), false)
  if (isOld) throw new SwornError('NODE_TOO_OLD', `SQLite ${String(row?.version)} found, ${SQLITE_NEEDED.join('.')} needed for SQLite`)
  if (row?.nul !== 'a\0b' || row.lone !== 'a\ufffdb')
    throw new SwornError('NODE_TOO_OLD', `Node ${version} does not keep every text, ${NEEDED} needed for SQLite`)
}
