/**
 * Row 13: delivery to PostgreSQL.
 *
 * Both read the same ledger and fill the same table: ours with a place in it that survives crashes, batch by batch; by
 * hand one COPY in one transaction, empty table before each. A process each; the server shares the machine.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { DeliverAnswer, DeliverTask } from '../children/deliver.ts'
import { runChild } from '../harness/child.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { openPostgres } from '../harness/postgres.ts'
import { writeQueryLog } from '../harness/query-log.ts'
import { withWorkdir } from '../harness/workdir.ts'

const CONNECTION = 'postgres://postgres@127.0.0.1:5432/test'

export const postgres: Row = {
  row: 13,
  job: 'delivery to PostgreSQL',
  against: 'a hand-written COPY of the same rows into the same table',
  target: '≥ 0.9 ×',
  needs: { name: 'PostgreSQL with a database `test`', port: 5432 },
  run: (quick) => measure(quick ? 300 : 200_000, quick ? 1 : 3),
}

async function measure(entries: number, rounds: number): Promise<readonly Measurement[]> {
  const table = `sworn_bench_${randomBytes(4).toString('hex')}`
  const sink = { type: 'postgres', connection: CONNECTION, table, batch: { wait_ms: 0 } } as const
  const found = { ours: [] as DeliverAnswer[], hand: [] as DeliverAnswer[] }
  try {
    for (let round = 0; round < rounds; round++)
      await withWorkdir(async (directory) => {
        const ledger = writeQueryLog(directory, entries, 13)
        const run = (way: DeliverTask['way']) => runChild<DeliverAnswer>('deliver', { way, ledger, sink } satisfies DeliverTask)
        found.ours.push(await run('ours'))
        await query(`TRUNCATE ${table}`, 'VACUUM', 'CHECKPOINT')
        found.hand.push(await run('by hand'))
        await query(`DROP TABLE ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint`, 'CHECKPOINT')
      })
  } finally {
    await query(`DROP TABLE IF EXISTS ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint`)
  }
  const rates = (answers: readonly DeliverAnswer[]) => answers.map(({ ms }) => entries / ms)
  const cpu = (answers: readonly DeliverAnswer[]) => answers.map(({ cpuMs }) => (cpuMs * 1000) / entries)
  const note = `${entries.toLocaleString('en-US')} entries; the process started, the table made and everything committed`
  return [
    compare({
      what: 'thousand entries/s',
      against: 'COPY by hand',
      ours: rates(found.ours),
      rival: rates(found.hand),
      bound: { atLeast: 0.9 },
      note,
    }),
    compare({
      what: 'CPU of the client, µs an entry',
      against: 'COPY by hand',
      ours: cpu(found.ours),
      rival: cpu(found.hand),
      bound: { atMost: 2 },
    }),
  ]
}

async function query(...statements: readonly string[]): Promise<void> {
  const client = await openPostgres(CONNECTION)
  for (const statement of statements) await client.query(statement)
  await client.end()
}
