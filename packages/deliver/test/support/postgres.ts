/** The PostgreSQL that tests use where one runs, and a connection to it. @module */
import { isListening } from '../../../../testkit/src/services.ts'
import { loadPg, type PgClient } from '../../src/sinks/postgres-driver.ts'

export const DSN = 'postgres://postgres@127.0.0.1:5432/test'

/** What a test that needs it is skipped with: false where it runs. @param lost what is not tested without it, with its verb */
export async function skippedWithout(lost: string): Promise<string | false> {
  return (await isListening(5432)) ? false : `NO POSTGRESQL on 127.0.0.1:5432: ${lost} not tested`
}

export async function withClient<T>(act: (client: PgClient) => Promise<T>): Promise<T> {
  const client = (await loadPg()).createClient(DSN)
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}
