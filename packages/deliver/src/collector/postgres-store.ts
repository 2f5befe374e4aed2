/**
 * Mirrors in PostgreSQL, for collectors that share them: the tables of the `postgres` sink, each ledger under its log_id,
 * and beside them what is known of each mirror.
 *
 * Lines and state are one transaction, and the state is replaced only where it is the one that was read: of two collectors
 * that take lines of one ledger at one moment one is told to read again. `sworn verify postgres://… --origin LOG_ID`
 * verifies a mirror alone. Source: spec scale-out §3.1; PostgreSQL 12 and later.
 * @module
 */
import { once } from 'node:events'
import type { Event } from '@sworn/dialects'
import { leafHash, parseHex, parseLine, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Item } from '../sink.ts'
import { openPostgresCopy } from '../sinks/postgres-copy.ts'
import { loadPg, type PgClient, type PgDriver } from '../sinks/postgres-driver.ts'
import { copyRows } from '../sinks/postgres-rows.ts'
import { MONTHS_SQL, monthsOf, SCHEMA_SQL, type Tables, tablesOf } from '../sinks/postgres-schema.ts'
import { formatState, parseState } from './state.ts'
import type { Batch, MirrorStore } from './store.ts'

export interface PostgresMirrorsOptions {
  /** A DSN; never repeated in a message. */
  readonly connection: string
  /** Names the tables; default `sworn_mirror`. */
  readonly table?: string | undefined
  /** Default: the packages next to sworn. */
  readonly driver?: () => Promise<PgDriver>
}

export interface PostgresMirrors {
  storeOf(logId: string): MirrorStore
  close(): Promise<void>
}

/** @throws SwornError DRIVER_MISSING, CONFIG_INVALID; IO_FAILED when the server cannot be used */
export async function openPostgresMirrors({
  connection,
  table = 'sworn_mirror',
  driver = loadPg,
}: PostgresMirrorsOptions): Promise<PostgresMirrors> {
  const tables = tablesOf(table)
  const pg = await driver()
  const session = createSession(pg, connection, tables)
  await session.use(async () => {})
  return { storeOf: (logId) => postgresStore({ session, pg, tables, connection, logId }), close: session.close }
}

/** One connection, one transaction at a time; made again after a failure. */
interface Session {
  use<T>(act: (client: PgClient) => Promise<T>): Promise<T>
  close(): Promise<void>
}

function createSession(pg: PgDriver, connection: string, tables: Tables): Session {
  let client: PgClient | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function connected(): Promise<PgClient> {
    if (client) return client
    const opened = pg.createClient(connection)
    opened.on('error', () => {
      if (client === opened) client = undefined // the next request connects again
    })
    await opened.connect()
    await prepare(opened, tables)
    client = opened
    return opened
  }

  async function attempt<T>(act: (client: PgClient) => Promise<T>): Promise<T> {
    try {
      return await act(await connected())
    } catch (cause) {
      void client?.end().catch(() => {}) // whatever was begun is rolled back with it
      client = undefined
      if (SwornError.is(cause)) throw cause
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection'
      throw new SwornError('IO_FAILED', `the mirrors cannot be used (${code})`, 'postgres', { cause })
    }
  }

  return {
    use(act) {
      const next = last.then(() => attempt(act))
      last = next.catch(() => {})
      return next
    },
    async close() {
      await last
      await client?.end()
    },
  }
}

const stateTable = ({ entry }: Tables) => `${entry}_state`

/** Two that make the same tables at one time would get in each other's way. */
async function prepare(client: PgClient, tables: Tables): Promise<void> {
  await client.query('BEGIN')
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [tables.entry])
  for (const statement of SCHEMA_SQL(tables)) await client.query(statement)
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${stateTable(tables)} (log_id text PRIMARY KEY, version bigint NOT NULL, state text NOT NULL)`,
  )
  await client.query('COMMIT')
}

interface Place {
  readonly session: Session
  readonly pg: PgDriver
  readonly tables: Tables
  readonly connection: string
  readonly logId: string
}

function postgresStore({ session, pg, tables, connection, logId }: Place): MirrorStore {
  let version = '0' // of the state that was read; 0: there was none
  return {
    isShared: true,
    read: () =>
      session.use(async (client) => {
        const { rows } = await client.query(`SELECT version::text, state FROM ${stateTable(tables)} WHERE log_id = $1`, [logId])
        version = String(rows[0]?.version ?? 0)
        return rows[0] && parseState(String(rows[0].state), 'postgres').state
      }),
    append: (batch) => session.use((client) => append(client, pg, { tables, logId, version, batch })),
    leaves: (from, to) => session.use((client) => readLeaves(client, tables, { logId, from, to })),
    writeCheckpoint: (note, size) =>
      session.use(async (client) => {
        const sql = `INSERT INTO ${tables.checkpoint} VALUES ($1, $2, $3) ON CONFLICT (origin, size) DO UPDATE SET note = excluded.note`
        await client.query(sql, [logId, size, note])
      }),
    async *lines(range) {
      const copy = await openPostgresCopy({ connection, table: tables.entry, driver: async () => pg })
      try {
        for await (const { seq, line } of copy.rows(logId, range)) yield { seq, bytes: Buffer.from(line) }
      } finally {
        await copy.close()
      }
    },
  }
}

interface Appending {
  readonly tables: Tables
  readonly logId: string
  readonly version: string
  readonly batch: Batch
}

/** @throws SwornError SERVER_BUSY when the state is not the one that was read; then nothing was written */
async function append(client: PgClient, pg: PgDriver, { tables, logId, version, batch }: Appending): Promise<void> {
  const items = batch.lines.map((line) => toItem(line, logId))
  for (const month of monthsOf(items)) await client.query(MONTHS_SQL(tables, month))
  await client.query('BEGIN')
  const { rows } = await client.query(REPLACE_SQL(tables, version === '0'), [logId, version, formatState(batch.state)])
  if (rows.length !== 1) throw new SwornError('SERVER_BUSY', 'another collector takes lines of this ledger')
  const stream = pg.copyFrom(client, `COPY ${tables.entry} FROM STDIN`)
  const done = once(stream, 'finish')
  stream.end(copyRows(items, logId).bytes)
  await done
  const head = `INSERT INTO ${tables.head} (origin, next) VALUES ($1, $2) ON CONFLICT (origin) DO UPDATE SET next = excluded.next`
  await client.query(head, [logId, batch.state.size])
  await client.query('COMMIT')
}

/** Gives a row back where it was done. */
function REPLACE_SQL(tables: Tables, isNew: boolean): string {
  const table = stateTable(tables)
  return isNew
    ? `INSERT INTO ${table} (log_id, version, state) VALUES ($1, $2::bigint + 1, $3) ON CONFLICT DO NOTHING RETURNING 1 AS done`
    : `UPDATE ${table} SET version = version + 1, state = $3 WHERE log_id = $1 AND version = $2::bigint RETURNING 1 AS done`
}

function toItem(bytes: Buffer, logId: string): Item {
  const body = bytes.toString('utf8')
  const { seq, entryHash } = parseLine(bytes)
  return { seq, key: `${logId}/${seq}`, entryHash, event: tryParse(body), body, line: body }
}

/** For the columns; a line that is no JSON has none. */
function tryParse(text: string): Event {
  try {
    return JSON.parse(text) as Event // members are looked at one by one
  } catch {
    return { event_type: '' }
  }
}

async function readLeaves(client: PgClient, { entry }: Tables, { logId, from, to }: { logId: string; from: number; to: number }) {
  const sql = `SELECT seq::text, entry_hash FROM ${entry} AS e WHERE origin = $1 AND seq >= $2 AND seq < $3 ORDER BY e.seq` // not by the text of the same name
  const { rows } = await client.query(sql, [logId, from, to])
  if (rows.length !== to - from || rows.some(({ seq }, i) => Number(seq) !== from + i))
    throw new SwornError('IO_FAILED', 'the leaves of the mirror are not whole', 'postgres')
  return rows.map(({ entry_hash: hash }) => leafHash(nodePrimitives, parseHex(String(hash))))
}
