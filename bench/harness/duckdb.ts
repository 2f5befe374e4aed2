/** DuckDB, where the peer `testkit/peers/duckdb` is installed. @module */
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

interface Connection {
  runAndReadAll(sql: string): Promise<unknown>
}
interface DuckDb {
  readonly DuckDBInstance: { create(): Promise<{ connect(): Promise<Connection> }> }
}

/** A connection to an empty database; undefined where the peer is not installed. */
export async function openDuckDb(): Promise<Connection | undefined> {
  const require = createRequire(fileURLToPath(new URL('../../testkit/peers/duckdb/package.json', import.meta.url)))
  try {
    const { DuckDBInstance } = (await import(pathToFileURL(require.resolve('@duckdb/node-api')).href)) as DuckDb // what of it is used
    return await (await DuckDBInstance.create()).connect()
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'MODULE_NOT_FOUND') return undefined
    throw e
  }
}
