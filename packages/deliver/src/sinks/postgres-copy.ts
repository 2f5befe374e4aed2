/**
 * A copy of ledgers in PostgreSQL, read: which ledgers there are, their rows in order, their checkpoints.
 *
 * Reads in one transaction, so that it sees one moment, through a cursor, so that memory does not grow with the copy.
 * Everything read is as attacker-controlled as any copy. No message holds the connection.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Range } from '../holdings.ts'
import { loadPg, type PgClient, type PgDriver } from './postgres-driver.ts'
import { ROOT_SQL } from './postgres-root.ts'
import { COLUMNS, columnOf, type Tables, tablesOf } from './postgres-schema.ts'

export interface PostgresCopyOptions {
  /** A DSN; never repeated in a message. */
  readonly connection: string
  readonly table: string
  /** Default: the packages next to sworn. */
  readonly driver?: (() => Promise<Pick<PgDriver, 'createClient'>>) | undefined
}

export interface Row {
  readonly seq: number
  readonly line: string
  readonly entryHash: string
  /** Microseconds since 1970. */
  readonly at: string
  /** In the order of `COLUMNS`. */
  readonly copies: readonly (string | undefined)[]
}

export interface PostgresCopy {
  /** The ledgers of which there are entries. @throws SwornError SINK_UNREADABLE */
  origins(): Promise<readonly string[]>
  /** By seq; an entry as often as it is there. @throws SwornError SINK_UNREADABLE */
  rows(origin: string, range: Range, signal?: AbortSignal): AsyncIterable<Row>
  /**
   * The root over the rows of a range whose width is a power of two; undefined where the server cannot say it, or for more
   * than 65,536. @throws SwornError SINK_UNREADABLE
   */
  root(origin: string, range: Range): Promise<Uint8Array | undefined>
  /** Signed notes, the newest 10,000. @throws SwornError SINK_UNREADABLE */
  notes(origin: string): Promise<readonly string[]>
  close(): Promise<void>
}

/** What one fetch brings, about. */
const FETCH_BYTES = 4 << 20
const FETCH_ROWS = 2000
const MAX_NOTES = 10_000
const MAX_ROOT = 1 << 16
const MAX_SEQ = '9007199254740991'

/** @throws SwornError DRIVER_MISSING, CONFIG_INVALID, SINK_UNREADABLE */
export async function openPostgresCopy({ connection, table, driver = loadPg }: PostgresCopyOptions): Promise<PostgresCopy> {
  const tables = tablesOf(table)
  const client = await asked(async () => (await driver()).createClient(connection))
  client.on('error', () => {}) // the query that is under way says so
  await asked(async () => {
    await client.connect()
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  })
  return {
    origins: async () => {
      const { rows } = await asked(() => client.query(`SELECT origin FROM ${tables.head} ORDER BY origin`))
      return rows.map(({ origin }) => String(origin))
    },
    rows: (origin, range, signal) => readRows(client, tables, { origin, range, signal }),
    root: (origin, range) => readRoot(client, tables, origin, range),
    notes: (origin) => readNotes(client, tables, origin),
    close: () => client.end().catch(() => {}), // nothing was written
  }
}

async function readNotes(client: PgClient, { checkpoint }: Tables, origin: string): Promise<readonly string[]> {
  const { rows: found } = await asked(() => client.query('SELECT to_regclass($1) AS there', [checkpoint]))
  if (found[0]?.there === null) return [] // made by a version before
  const { rows } = await asked(() =>
    client.query(`SELECT note FROM ${checkpoint} WHERE origin = $1 ORDER BY size DESC LIMIT ${MAX_NOTES}`, [origin]),
  )
  return rows.map(({ note }) => String(note))
}

async function readRoot(client: PgClient, tables: Tables, origin: string, { from, to }: Range): Promise<Uint8Array | undefined> {
  if (to - from > MAX_ROOT) return undefined
  await asked(() => client.query('SAVEPOINT sworn_root'))
  try {
    const { rows } = await client.query(ROOT_SQL(tables, to - from), [origin, String(from), String(to)])
    const root = rows.length === 1 ? rows[0]?.x : undefined // of one entry there may be two rows
    return root instanceof Uint8Array ? root : undefined
  } catch {
    await asked(() => client.query('ROLLBACK TO SAVEPOINT sworn_root')) // a line that is no JSON, for one: the rows are read
    return undefined
  }
}

interface Asked {
  readonly origin: string
  readonly range: Range
  readonly signal?: AbortSignal | undefined
}

async function* readRows(client: PgClient, { entry }: Tables, { origin, range, signal }: Asked): AsyncGenerator<Row> {
  const columns = COLUMNS.map(columnOf).join(', ')
  const time = '(extract(epoch FROM recorded_at) * 1000000)::bigint::text AS at'
  const to = range.to === Number.POSITIVE_INFINITY ? MAX_SEQ : String(range.to)
  await asked(() =>
    client.query(
      `DECLARE sworn_rows NO SCROLL CURSOR FOR SELECT seq::text, line, entry_hash, ${time}, ${columns} FROM ${entry} AS held WHERE origin = $1 AND seq >= $2 AND seq < $3 ORDER BY held.seq`,
      [origin, String(range.from), to],
    ),
  )
  for (let count = 100; ; ) {
    signal?.throwIfAborted()
    const { rows } = await asked(() => client.query(`FETCH ${count} FROM sworn_rows`))
    if (rows.length === 0) break
    let bytes = 0
    for (const row of rows) {
      bytes += String(row.line).length
      yield toRow(row)
    }
    count = Math.max(1, Math.min(FETCH_ROWS, Math.floor((FETCH_BYTES * rows.length) / Math.max(1, bytes))))
  }
  await asked(() => client.query('CLOSE sworn_rows'))
}

function toRow(row: Record<string, unknown>): Row {
  const copies = COLUMNS.map((name) => row[columnOf(name)]).map((value) => (typeof value === 'string' ? value : undefined))
  return { seq: Number(row.seq), line: String(row.line), entryHash: String(row.entry_hash), at: String(row.at), copies }
}

/** Runs `act`; what goes wrong is told by the code of the driver or the server. */
async function asked<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (SwornError.is(cause)) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection'
    throw new SwornError('SINK_UNREADABLE', `the copy cannot be read (${code})`, 'postgres', { cause })
  }
}
