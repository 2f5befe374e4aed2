/** A client of PostgreSQL for benches: the part of `pg` and `pg-copy-streams` that is used. @module */
import type { Writable } from 'node:stream'

export interface PostgresClient {
  query(statement: string): Promise<unknown>
  /** The rows of a COPY in text format. */
  copy(statement: string): Writable
  end(): Promise<void>
}

interface Pg {
  readonly default: {
    readonly Client: new (options: {
      connectionString: string
    }) => {
      connect(): Promise<void>
      query<T extends string | Writable>(what: T): T extends string ? Promise<unknown> : Writable
      end(): Promise<void>
    }
  }
}

export async function openPostgres(connectionString: string): Promise<PostgresClient> {
  const [pg, copies] = ['pg', 'pg-copy-streams'] // they bring no types
  const { default: driver } = (await import(pg!)) as Pg
  const { from } = (await import(copies!)) as { from: (statement: string) => Writable }
  const client = new driver.Client({ connectionString })
  await client.connect()
  return { query: (statement) => client.query(statement), copy: (statement) => client.query(from(statement)), end: () => client.end() }
}
