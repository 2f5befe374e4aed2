/**
 * The part of `pg` and `pg-copy-streams` that is used, written out; they are installed beside sworn by whoever needs them.
 * @module
 */
import type { Writable } from 'node:stream'
import { loadDriver } from './driver.ts'

export interface PgClient {
  connect(): Promise<unknown>
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  escapeLiteral(text: string): string
  on(event: 'error', listener: (e: Error) => void): unknown
  end(): Promise<void>
}

export interface PgDriver {
  createClient(connection: string): PgClient
  copyFrom(client: PgClient, sql: string): Writable
}

interface PgModule {
  readonly Client: new (options: {
    connectionString: string
    connectionTimeoutMillis: number
  }) => PgClient & { query(stream: Writable): Writable }
}

const CONNECT_MS = 10_000
const PACKAGES = 'pg pg-copy-streams'

/** @throws SwornError DRIVER_MISSING */
export async function loadPg(): Promise<PgDriver> {
  const { Client } = await loadDriver<{ default: PgModule }>('pg', PACKAGES).then((module) => module.default)
  const { from } = await loadDriver<{ from: (sql: string) => Writable }>('pg-copy-streams', PACKAGES)
  return {
    createClient: (connectionString) => new Client({ connectionString, connectionTimeoutMillis: CONNECT_MS }),
    copyFrom: (client, sql) => (client as InstanceType<PgModule['Client']>).query(from(sql)), // made above
  }
}
