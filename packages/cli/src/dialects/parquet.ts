/**
 * Parquet through DuckDB, which whoever wants it installs next to sworn: a column for every member, Zstandard.
 *
 * Rows are written as JSON Lines beside the file and converted in one statement; objects are JSON text in their
 * column, members of the caller's own are JSON text in `own`. Source: Apache Parquet; DuckDB 1.5, COPY.
 * @module
 */
import { renameSync, rmSync } from 'node:fs'
import type { Event } from '@sworn/dialects'
import { type JsonValue, SwornError } from '@sworn/verify'
import { EVENT_MEMBERS, RESERVED_MEMBERS } from '@sworn/verify/events'
import { openLineFile, readBack } from './line-file.ts'
import type { Exported, Target } from './target.ts'

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
export async function loadDuckdb(name: string = PACKAGE): Promise<Duckdb> {
  try {
    return (await import(name)) as Duckdb // the part that is used is written out above
  } catch (cause) {
    throw new SwornError('DRIVER_MISSING', `${PACKAGE} is needed for parquet: npm install ${PACKAGE}`, '--dialect', { cause })
  }
}

/** A table in `path`, there whole or not at all. */
export function openParquetTarget(path: string, name: string, { DuckDBInstance }: Duckdb): Target {
  const rows = openLineFile(`${path}.rows`)
  const [source, part] = [`${path}.rows`, `${path}.part`]
  return {
    write: async (entry) => rows.write(JSON.stringify(toRow(entry))),
    async close(): Promise<Exported> {
      const { lines } = await rows.close()
      const instance = await DuckDBInstance.create(':memory:')
      try {
        const connection = await instance.connect()
        await connection.run(copyStatement(source, part))
        const [[count] = []] = (await connection.runAndReadAll(`SELECT count(*) FROM read_parquet(${quote(part)})`)).getRows()
        connection.closeSync()
        if (Number(count) !== lines) throw new SwornError('IO_FAILED', `${lines} rows were written, ${String(count)} are there`, path)
      } finally {
        instance.closeSync()
        rmSync(source, { force: true })
      }
      const { bytes, sha256 } = await readBack(part)
      renameSync(part, path)
      return { name, file: { rows: lines, bytes, sha256 } }
    },
    discard() {
      rows.discard()
      for (const left of [source, part]) rmSync(left, { force: true })
    },
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

function toRow(entry: Event): Record<string, JsonValue> {
  const known = Object.keys(COLUMNS).flatMap((name) => {
    const value = entry[name]
    if (value === undefined || value === null || name === 'own') return []
    return [[name, COLUMNS[name] === 'VARCHAR' && typeof value !== 'string' ? JSON.stringify(value) : value]] as const
  })
  const isOwn = (name: string) =>
    (!Object.hasOwn(COLUMNS, name) || name === 'own') && !(RESERVED_MEMBERS as readonly string[]).includes(name)
  const own = Object.entries(entry).filter(([name]) => isOwn(name))
  return { ...Object.fromEntries(known), ...(own.length > 0 && { own: JSON.stringify(Object.fromEntries(own)) }) }
}
