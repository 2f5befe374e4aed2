/**
 * PostgreSQL: a row an entry with its exact line, so that the copy can be verified alone.
 *
 * A batch and the place up to which rows are there are one transaction: after a lost answer or a crash nothing is
 * written twice, and the fast way (COPY) needs no check of each row. What comes again from below that place, because
 * somebody replays, is compared row by row. Partitions by month are made as they are needed. The schema is ours:
 * made and versioned here. Source: spec scale-out §3.1; PostgreSQL 12 and later.
 * @module
 */
import { once } from 'node:events'
import { SwornError } from '@sworn/verify'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { loadPg, type PgClient, type PgDriver } from './postgres-driver.ts'
import { type CopyRows, copyRows } from './postgres-rows.ts'
import { MIGRATE_SQL, MONTHS_SQL, monthsOf, SCHEMA_SQL, SCHEMA_VERSION, type Tables, tablesOf } from './postgres-schema.ts'

export interface PostgresOptions {
  /** A DSN; never repeated in a message. */
  readonly connection: string
  /** Names the tables; letters, digits and `_`. */
  readonly table: string
  /** The ledger's. */
  readonly origin: string
  /** Default: the packages next to sworn. */
  readonly driver?: () => Promise<PgDriver>
}

/** Rows a write. */
const COPY_ROWS = 500
const LIMITS = { items: 5000, bytes: 8 << 20 }
/** Classes of SQLSTATE that say that the data will never do: data exception, integrity constraint. */
const REFUSED = /^2[23]/

export function postgresSink({ connection, table, origin, driver = loadPg }: PostgresOptions): OpenSink {
  const tables = tablesOf(table)
  return async () => {
    const pg = await driver()
    let client: PgClient | undefined
    let opening: Promise<PgClient> | undefined
    const months = new Set<string>() // whose partitions are there
    /** One connection at a time: what a try that was given up has begun is the next one's. */
    async function connected(): Promise<PgClient> {
      opening ??= connect().finally(() => {
        opening = undefined
      })
      return await opening
    }
    async function connect(): Promise<PgClient> {
      const opened = pg.createClient(connection)
      opened.on('error', () => {
        if (client === opened) client = undefined // the next batch connects again
      })
      await opened.connect()
      try {
        await prepareAlone(opened, tables, origin)
        await opened.query('COMMIT')
      } catch (e) {
        await opened.end().catch(() => {}) // whatever it said first is what is told
        throw e
      }
      months.clear()
      client = opened
      return opened
    }
    const drop = () => {
      void client?.end().catch(() => {}) // it is gone or goes; nothing of it is used again
      client = undefined
    }
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        signal.addEventListener('abort', drop, { once: true })
        try {
          const own = client ?? (await connected())
          if (signal.aborted) return allAgain(items, 'given up') // the connection is another try's by now
          await store(own, pg, { items, tables, origin, months })
          return {}
        } catch (e) {
          const state = e instanceof Error && 'code' in e ? String(e.code) : 'it failed'
          if (REFUSED.test(state)) await client?.query('ROLLBACK').catch(drop)
          else drop()
          return REFUSED.test(state) ? { whole: `SQLSTATE ${state}` } : allAgain(items, state)
        } finally {
          signal.removeEventListener('abort', drop)
        }
      },
      probe: (signal) => probeApart(pg.createClient(connection), signal, (own) => probeTables(own, tables, origin)),
      async close() {
        opening?.then((late) => late.end()).catch(() => {}) // nobody waits for it any more
        await client?.end()
      },
    }
  }
}

/** Begins a transaction: two that make the same tables at one time would get in each other's way. */
async function prepareAlone(client: PgClient, tables: Tables, origin: string): Promise<void> {
  await client.query('BEGIN')
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [tables.entry])
  await prepare(client, tables, origin)
}

/** Tables as this version needs them, and a row for this ledger. @throws SwornError CONFIG_INVALID for those of a later version */
async function prepare(client: PgClient, tables: Tables, origin: string): Promise<void> {
  for (const statement of SCHEMA_SQL(tables)) await client.query(statement)
  const { rows } = await client.query(`SELECT version FROM ${tables.meta}`)
  if (Number(rows[0]?.version) === 1) for (const statement of MIGRATE_SQL(tables)) await client.query(statement)
  else if (Number(rows[0]?.version) !== SCHEMA_VERSION)
    throw new SwornError('CONFIG_INVALID', `tables of version ${SCHEMA_VERSION} were expected`, 'audit.sinks.table')
  await client.query(`INSERT INTO ${tables.head} (origin, next) VALUES ($1, 0) ON CONFLICT DO NOTHING`, [origin])
}

/** A connection of its own: what it began ends with it. */
async function probeApart(own: PgClient, signal: AbortSignal, ask: (own: PgClient) => Promise<Probed>): Promise<Probed> {
  own.on('error', () => {}) // told to the query that is under way
  const stop = () => void own.end().catch(() => {})
  signal.addEventListener('abort', stop, { once: true })
  try {
    await own.connect()
    return await ask(own)
  } finally {
    signal.removeEventListener('abort', stop)
    await own.end().catch(() => {})
  }
}

/** Tables where there are none, and a row, in a transaction that is rolled back: nobody else ever sees them. */
async function probeTables(client: PgClient, tables: Tables, origin: string): Promise<Probed> {
  await prepareAlone(client, tables, origin)
  const { entry } = tables
  const place = ['sworn doctor: a probe', -1]
  await client.query(`INSERT INTO ${entry} (origin, seq, recorded_at, entry_hash, line) VALUES ($1, $2, 'epoch', '', '')`, place)
  const { rows } = await client.query(`SELECT seq FROM ${entry} WHERE origin = $1 AND seq = $2`, place)
  await client.query('ROLLBACK')
  return rows.length === 1 ? { shown: 'written, read back and rolled back' } : { wrong: 'a row was written and is not there' }
}

interface Storing {
  readonly items: readonly Item[]
  readonly tables: Tables
  readonly origin: string
}

async function store(client: PgClient, pg: PgDriver, { months, ...storing }: Storing & { readonly months: Set<string> }): Promise<void> {
  const { items, tables, origin } = storing
  for (const month of monthsOf(items)) {
    if (months.has(month)) continue
    await client.query(MONTHS_SQL(tables, month))
    months.add(month)
  }
  const place = `WHERE origin = ${client.escapeLiteral(origin)}`
  const next = Number((await lastOf(client, `BEGIN; SELECT next FROM ${tables.head} ${place} FOR UPDATE`)) ?? 0)
  const before = items.filter(({ seq }) => seq < next)
  const fresh = items.filter(({ seq }) => seq >= next)
  const checkpoints = [
    ...(before.length > 0 ? await compare(client, pg, { items: before, tables, origin }) : []),
    ...(fresh.length > 0 ? await copy(client, pg, tables.entry, { items: fresh, tables, origin }) : []),
  ]
  for (const [size, note] of checkpoints)
    await client.query(`INSERT INTO ${tables.checkpoint} VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, [origin, size, note])
  const moved = fresh.length > 0 ? `UPDATE ${tables.head} SET next = ${fresh.at(-1)!.seq + 1} ${place}; ` : ''
  await client.query(`${moved}COMMIT`)
}

/** The only value of the last of several statements, which go to the server together. */
async function lastOf(client: PgClient, statements: string): Promise<unknown> {
  const [row] = [await client.query(statements)].flat().at(-1)?.rows ?? [] // of several statements there are several results
  return row && Object.values(row)[0]
}

type Checkpoints = CopyRows['checkpoints']

/** Rows that may be there already: only those that are not are added. */
async function compare(client: PgClient, pg: PgDriver, storing: Storing): Promise<Checkpoints> {
  await client.query(`CREATE TEMP TABLE sworn_again (LIKE ${storing.tables.entry}) ON COMMIT DROP`)
  const checkpoints = await copy(client, pg, 'sworn_again', storing)
  await client.query(`INSERT INTO ${storing.tables.entry} SELECT * FROM sworn_again ON CONFLICT DO NOTHING`)
  return checkpoints
}

/** Some rows are made while the server takes those before. @returns the checkpoints among them */
async function copy(client: PgClient, pg: PgDriver, into: string, { items, origin }: Storing): Promise<Checkpoints> {
  const stream = pg.copyFrom(client, `COPY ${into} FROM STDIN`)
  const done = once(stream, 'finish')
  done.catch(() => {}) // met below
  const checkpoints: Checkpoints[number][] = []
  for (let from = 0; from < items.length; from += COPY_ROWS) {
    const part = copyRows(items.slice(from, from + COPY_ROWS), origin)
    checkpoints.push(...part.checkpoints)
    if (!stream.write(part.bytes)) await Promise.race([once(stream, 'drain'), done])
  }
  stream.end()
  await done
  return checkpoints
}
