/**
 * Row 7: indexing a ledger, text search and all columns included.
 *
 * A process of its own for each way and round; the ledger's files are in the page cache. `JSON.parse` of each line is
 * what any reader of JSON Lines pays at least.
 * @module
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { ReadAnswer, ReadTask } from '../children/read-lines.ts'
import { runChild, timeoutFor } from '../harness/child.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { type QueryLog, writeQueryLog } from '../harness/query-log.ts'
import { withWorkdir } from '../harness/workdir.ts'

/** Whole lines in SQLite take one and a half times the ledger's place on disk: beyond this they are left out. */
const MOST_BODIES = 2_000_000

export const index: Row = {
  row: 7,
  job: 'index a ledger',
  against: '`JSON.parse` of each line; SQLite with whole lines',
  target: '≥ 0.35 × its rate with all columns; on disk ≤ 15 % of the ledger',
  sizes: true,
  run: (quick, entries) => withWorkdir((dir) => measure(dir, entries ?? (quick ? 300 : 1_000_000), quick || entries ? 1 : 3)),
}

async function measure(dir: string, entries: number, rounds: number): Promise<readonly Measurement[]> {
  const log = writeQueryLog(dir, entries, 7)
  const rates = { index: [] as number[], parse: [] as number[], bodies: [] as number[] }
  for (let round = 0; round < rounds; round++)
    for (const way of ['parse', 'index', 'bodies'] as const) {
      if (way === 'bodies' && entries > MOST_BODIES) continue
      const { ms } = await read(log, way)
      rates[way].push(entries / ms)
    }
  const size = (name: string): number => statSync(join(dir, name)).size
  const note = `${entries.toLocaleString('en-US')} entries, ${(log.bytes / 1e9).toFixed(2)} GB; two threads beside the one that writes, where the ledger is large enough; memory: row 5`
  const bodies = entries > MOST_BODIES ? [] : againstBodies(rates, size('audit.db') / entries, size('bodies.db') / entries)
  return [
    compare({
      what: 'thousand entries/s',
      against: 'JSON.parse of each line',
      ours: rates.index,
      rival: rates.parse,
      bound: { atLeast: 0.35 },
      note,
    }),
    compare({
      what: 'on disk, bytes an entry',
      against: 'the ledger',
      ours: [size('audit.db') / entries],
      rival: [log.bytes / entries],
      bound: { atMost: 0.15 },
    }),
    ...bodies,
  ]
}

function againstBodies(
  { index, bodies }: { readonly index: readonly number[]; readonly bodies: readonly number[] },
  bytes: number,
  bodyBytes: number,
): Measurement[] {
  return [
    compare({
      what: 'thousand entries/s',
      against: 'SQLite with whole lines, five indexes',
      ours: index,
      rival: bodies,
      bound: { atLeast: 1 },
    }),
    compare({
      what: 'on disk, bytes an entry',
      against: 'SQLite with whole lines',
      ours: [bytes],
      rival: [bodyBytes],
      bound: { atMost: 1 },
    }),
  ]
}

function read({ directory, entries }: QueryLog, way: ReadTask['way']): Promise<ReadAnswer> {
  return runChild<ReadAnswer>('read-lines', { way, directory } satisfies ReadTask, timeoutFor(entries))
}
