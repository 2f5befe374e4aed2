/**
 * Parquet through DuckDB, which whoever wants it installs next to sworn: a column for every member, Zstandard.
 *
 * Rows are written as JSON Lines and converted in one statement; objects are JSON text in their column, members of the
 * caller's own are JSON text in `own`. Source: Apache Parquet; DuckDB 1.5, COPY.
 * @module
 */
import { createWriteStream, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Event } from '@sworn/dialects'
import { readLines } from '@sworn/recorder/segments'
import { type JsonValue, SwornError } from '@sworn/verify'
import { EVENT_MEMBERS, RESERVED_MEMBERS } from '@sworn/verify/events'
import { loadDriver } from './sinks/driver.ts'

/** The part of `@duckdb/node-api` that is used, written out so that the package is needed by nobody else. */
export interface Duckdb {
  readonly DuckDBInstance: { create(path: string): Promise<DuckdbInstance> }
}
interface DuckdbInstance {
  connect(): Promise<DuckdbConnection>
  closeSync(): void
}
interface DuckdbConnection {
  run(sql: string): Promise<unknown>
  runAndReadAll(sql: string): Promise<{ getRows(): readonly (readonly unknown[])[] }>
  closeSync(): void
}

const PACKAGE = '@duckdb/node-api'
const TYPES: Readonly<Record<string, string>> = { number: 'DOUBLE', count: 'BIGINT', integer: 'BIGINT', flag: 'BOOLEAN', time: 'TIMESTAMP' }

/** column -> type of DuckDB. */
const COLUMNS: Readonly<Record<string, string>> = {
  seq: 'BIGINT',
  ...Object.fromEntries(
    Object.entries(EVENT_MEMBERS).map(([name, kind]) => [name, (typeof kind === 'string' && TYPES[kind]) || 'VARCHAR']),
  ),
  session_seq: 'BIGINT',
  entry_hash: 'VARCHAR',
  own: 'VARCHAR',
}

/** @throws SwornError DRIVER_MISSING when the package is not installed */
export function loadDuckdb(name: string = PACKAGE): Promise<Duckdb> {
  return loadDriver<Duckdb>(name, PACKAGE)
}

/** The events of a segment as a table in `target`. @throws SwornError IO_FAILED when it does not hold what was written */
export async function writeParquet(segment: string, target: string, duckdb: Duckdb): Promise<void> {
  const rows = `${target}.rows`
  let count = 0
  async function* rowsOf(): AsyncGenerator<string> {
    for await (const { bytes, complete } of readLines(segment)) {
      const event: Event | undefined = complete ? JSON.parse(bytes.toString('utf8')) : undefined
      if (!event?.event_type || event.event_type.startsWith('log.')) continue // without a type: what was erased
      count++
      yield `${toParquetRow(event)}\n`
    }
  }
  try {
    await pipeline(rowsOf, createWriteStream(rows, { mode: 0o600 }))
    await convertToParquet(rows, target, { rows: count, duckdb })
  } finally {
    rmSync(rows, { force: true })
  }
}

/** A file of `toParquetRow` lines as a table. @throws SwornError IO_FAILED when it does not hold as many rows */
export async function convertToParquet(
  source: string,
  target: string,
  { rows, duckdb }: { readonly rows: number; readonly duckdb: Duckdb },
): Promise<void> {
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    await connection.run(copyStatement(source, target))
    const [[count] = []] = (await connection.runAndReadAll(`SELECT count(*) FROM read_parquet(${quote(target)})`)).getRows()
    connection.closeSync()
    if (Number(count) !== rows) throw new SwornError('IO_FAILED', `${rows} rows were written, ${String(count)} are there`, target)
  } finally {
    instance.closeSync()
  }
}

function copyStatement(source: string, target: string): string {
  const columns = Object.entries(COLUMNS).map(([column, type]) => `${column}: '${type}'`)
  const read = `read_json(${quote(source)}, format = 'newline_delimited', columns = {${columns.join(', ')}})`
  return `COPY (SELECT * FROM ${read}) TO ${quote(target)} (FORMAT parquet, COMPRESSION zstd)`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** One line of JSON, without LF. */
export function toParquetRow(entry: Event): string {
  const known = Object.keys(COLUMNS).flatMap((name) => {
    const value = entry[name]
    if (value === undefined || value === null || name === 'own') return []
    return [[name, COLUMNS[name] === 'VARCHAR' && typeof value !== 'string' ? JSON.stringify(value) : value]] as const
  })
  const isOwn = (name: string) =>
    (!Object.hasOwn(COLUMNS, name) || name === 'own') && !(RESERVED_MEMBERS as readonly string[]).includes(name)
  const own = Object.entries(entry).filter(([name]) => isOwn(name))
  const row: Record<string, JsonValue> = {
    ...Object.fromEntries(known),
    ...(own.length > 0 && { own: JSON.stringify(Object.fromEntries(own)) }),
  }
  return JSON.stringify(row)
}
