/**
 * `audit.db`: what is kept of each entry, and how far the ledger has been read.
 *
 * Derived: whatever is wrong with it, it is emptied and read again. One transaction takes a batch and moves the
 * cursor, so a crash loses and doubles nothing; two processes that index at once take turns, and the one that comes
 * second finds the cursor moved and drops its batch. WAL: a reader never waits for the writer, nor it for a reader.
 * @module
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type DatabaseSync, loadSqlite } from '@sworn/recorder/sqlite'
import { SwornError } from '@sworn/verify'
import { createCompiler, createStatements } from '../query/tables.ts'
import type { Batch } from './batch.ts'
import { SIGNATURE_BYTES } from './text-signature.ts'
import { createWriter, dropBelow } from './writer.ts'

/** In the header of the file: an index of ours, of this form. */
const APPLICATION_ID = 0x53574f52
/** Where SQLite keeps it. */
const APPLICATION_ID_AT = 68
const FORM = 3
const BUSY_MS = 10_000
const TABLES = ['entry', 'kind', 'who', 'session', 'kind_count', 'who_count', 'block', 'segment', 'unreadable', 'cursor']

export const INDEX_NAME = 'audit.db'

/** How far the ledger has been read: up to its last entry. */
export interface Cursor {
  /** First seq of the segment of that entry, and the offset behind its line; -1 before the first. */
  readonly segment: number
  readonly offset: number
  readonly nextSeq: number
  /** `entry_hash` of the last entry. */
  readonly head: string
  /** Another one after the index was emptied. */
  readonly generation: number
}

/** Lines that are no entries, one behind the other in one file. */
export interface Unreadable {
  /** First seq of the segment. */
  readonly segment: number
  readonly offset: number
  /** Of the first line, counted from 1. */
  readonly line: number
  readonly lines: number
}

export interface IndexDatabase {
  readonly db: DatabaseSync
  cursor(): Cursor
  /** Takes batches of one segment and what was passed over before `to`; false: somebody else has moved the cursor from `from`. */
  advance(from: Cursor, to: Cursor, batches: readonly Batch[], passed: readonly Unreadable[]): boolean
  /** What was passed over before the cursor, in order. */
  unreadable(): IterableIterator<Unreadable>
  /** Whole lines of the segment before `offset`, which lies before the cursor. */
  linesBefore(segment: number, offset: number): number
  /** Forgets every entry below `seq`. */
  dropBelow(seq: number): void
  /** Empties it. */
  reset(): void
  close(): void
}

/** Why an index that was there is not used. */
export type Replaced = 'damaged' | 'foreign' | 'older'

/**
 * Opens the index of the ledger whose files lie in `directory`, or makes it.
 *
 * @param onReplaced told when what was there is not used
 * @throws SwornError NODE_TOO_OLD; IO_FAILED when something else than a file has its name; the file system's error
 */
export async function openIndexDatabase(directory: string, onReplaced: (why: Replaced) => void = () => {}): Promise<IndexDatabase> {
  const { DatabaseSync } = await loadSqlite()
  const path = join(directory, INDEX_NAME)
  const open = (): DatabaseSync => {
    closeSync(openSync(path, 'a', 0o600)) // SQLite gives -wal and -shm the mode of the file
    return prepare(new DatabaseSync(path, { timeout: BUSY_MS }))
  }
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there && !there.isFile()) throw new SwornError('IO_FAILED', 'a file of ours was expected', path)
  try {
    const db = open()
    const why = formOf(db)
    if (why === undefined) return wrap(db)
    db.close()
    onReplaced(why)
  } catch (e) {
    if (!isDamaged(e)) throw e
    onReplaced('damaged')
  }
  removeIndex(directory)
  return wrap(open())
}

/**
 * Deletes the index of a ledger; it comes back with the next query, or with the next look of who keeps it.
 *
 * The file itself goes last: whoever opens it meanwhile has one that nobody finds again. The other way round it could be
 * the next index whose WAL is deleted. Without its WAL a file may be half of one moment and half of another, which nobody
 * would see: it ceases to be ours before, and whatever a killed deletion leaves is made anew.
 *
 * @param remove deletes a file that need not be there
 */
export function removeIndex(directory: string, remove = (path: string): void => rmSync(path, { force: true })): void {
  const path = join(directory, INDEX_NAME)
  disown(path)
  for (const suffix of ['-wal', '-shm', '']) remove(path + suffix)
}

/** Whoever opens it finds a foreign file. A link in its place is not followed. */
function disown(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return
  const fd = openToWrite(path)
  if (fd === undefined) return
  try {
    if (fstatSync(fd).size > APPLICATION_ID_AT) writeSync(fd, new Uint8Array(4), 0, 4, APPLICATION_ID_AT)
  } finally {
    closeSync(fd)
  }
}

/** Undefined: somebody else has deleted it, or it cannot be written. */
function openToWrite(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0))
  } catch {
    return undefined
  }
}

/** True for an error of SQLite that says that the file is not what was written. */
export function isDamaged(e: unknown): boolean {
  const CORRUPT = 11
  const NOT_A_DATABASE = 26
  return e instanceof Error && 'errcode' in e && typeof e.errcode === 'number' && [CORRUPT, NOT_A_DATABASE].includes(e.errcode & 0xff)
}

function prepare(db: DatabaseSync): DatabaseSync {
  db.exec(
    'PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192',
  )
  db.exec('BEGIN IMMEDIATE')
  const { application_id: id } = db.prepare('PRAGMA application_id').get() ?? {}
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {}
  if (id === 0 && tables === 0) createTables(db, 1)
  db.exec('COMMIT')
  return db
}

/** Makes the tables of an empty index in `db`. */
export function createTables(db: DatabaseSync, generation: number): void {
  for (const statement of createStatements(createCompiler('sqlite'), 'sqlite')) db.exec(statement)
  db.exec(
    `CREATE TABLE block (block INTEGER PRIMARY KEY, time_min INTEGER, time_max INTEGER, signature BLOB NOT NULL CHECK (length(signature) = ${SIGNATURE_BYTES}))`,
  )
  for (const bound of ['time_min', 'time_max']) db.exec(`CREATE INDEX block_${bound} ON block (${bound})`)
  db.exec('CREATE TABLE segment (first_seq INTEGER PRIMARY KEY)')
  db.exec(
    'CREATE TABLE unreadable (segment INTEGER, offset INTEGER, line INTEGER, lines INTEGER, PRIMARY KEY (segment, offset)) WITHOUT ROWID',
  )
  db.exec('CREATE TABLE cursor (segment INTEGER, offset INTEGER, next_seq INTEGER, head TEXT, generation INTEGER)')
  db.exec(
    `INSERT INTO cursor VALUES (-1, 0, 0, '', ${generation}); PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORM}`,
  )
}

function formOf(db: DatabaseSync): Replaced | undefined {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() ?? {}
  const { user_version: form } = db.prepare('PRAGMA user_version').get() ?? {}
  if (id !== APPLICATION_ID) return 'foreign'
  return form === FORM ? undefined : 'older'
}

function wrap(db: DatabaseSync): IndexDatabase {
  const find = 'SELECT segment, offset, next_seq, head, generation FROM cursor'
  let writer = createWriter(db)
  let generation = 0
  const readCursor = (): Cursor => {
    const row = db.prepare(find).get() // prepared anew: `reset` may have replaced the table
    return {
      segment: Number(row?.segment),
      offset: Number(row?.offset),
      nextSeq: Number(row?.next_seq),
      head: String(row?.head),
      generation: Number(row?.generation),
    }
  }
  const inTransaction = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (e) {
      if (db.isTransaction) db.exec('ROLLBACK')
      writer = createWriter(db) // what it remembers of this transaction never was
      throw e
    }
  }
  return {
    db,
    cursor: readCursor,
    advance: (from, to, batches, passed) =>
      inTransaction(() => {
        const now = readCursor()
        if (now.generation !== from.generation || now.segment !== from.segment || now.offset !== from.offset) return false
        if (generation !== now.generation) writer = createWriter(db)
        generation = now.generation
        writer.put(to.segment, batches)
        const insert = passed.length === 0 ? undefined : db.prepare('INSERT INTO unreadable VALUES (?, ?, ?, ?)')
        for (const { segment, offset, line, lines } of passed) insert?.run(segment, offset, line, lines)
        db.prepare('UPDATE cursor SET segment = ?, offset = ?, next_seq = ?, head = ?').run(to.segment, to.offset, to.nextSeq, to.head)
        return true
      }),
    *unreadable() {
      for (const row of db.prepare('SELECT segment, offset, line, lines FROM unreadable ORDER BY segment, offset').iterate())
        yield { segment: Number(row.segment), offset: Number(row.offset), line: Number(row.line), lines: Number(row.lines) }
    },
    linesBefore(segment, offset) {
      const entries = db.prepare('SELECT count(*) AS lines FROM entry WHERE seq >= ? AND offset < ?').get(segment, offset)
      const others = db.prepare('SELECT sum(lines) AS lines FROM unreadable WHERE segment = ? AND offset < ?').get(segment, offset)
      return Number(entries?.lines) + Number(others?.lines ?? 0)
    },
    dropBelow: (seq) =>
      inTransaction(() => {
        dropBelow(db, seq)
        db.exec('UPDATE cursor SET generation = generation + 1')
      }),
    reset: () =>
      inTransaction(() => {
        const next = readCursor().generation + 1
        db.exec('DROP VIEW entries')
        for (const table of TABLES) db.exec(`DROP TABLE ${table}`)
        createTables(db, next)
      }),
    close: () => db.close(),
  }
}
