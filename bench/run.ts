/**
 * `npm run bench [-- row… | --quick | --events N | --write]`: rows of the table of targets, printed as ratios.
 *
 * `--quick` runs each row with counts too small to mean anything; `--write` makes docs/benchmarks.md from
 * the measurements of this run and needs all rows. `--events` runs rows over a ledger of N entries, once. Exit code 0 whether or not a target is met: a bench
 * informs, it does not gate; 2 for a row that does not exist.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isListening } from '../testkit/src/services.ts'
import type { Row } from './harness/measure.ts'
import { page, type Result, rowText } from './harness/report.ts'
import { rows } from './rows/index.ts'

async function main(argv: string[]): Promise<number> {
  const flag = { type: 'boolean', default: false } as const
  const options = { quick: flag, write: flag, events: { type: 'string' } } as const
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true })
  const unknown = positionals.filter((name) => !rows.some((row) => isNamed(row, name)))
  if (unknown.length > 0) return refuse(`there is no row ${unknown.join(', ')}; rows: ${rows.map((row) => row.name ?? row.row).join(', ')}`)
  if (values.write && (values.quick || positionals.length > 0)) return refuse('--write needs every row at full counts')
  const chosen = rows.filter((row) => positionals.length === 0 || positionals.some((name) => isNamed(row, name)))
  const entries = values.events === undefined ? undefined : parseEvents(values.events)
  if (Number.isNaN(entries)) return refuse('--events needs a count from 1000 to 100000000')
  if (entries !== undefined && (values.write || values.quick || !chosen.every((row) => row.sizes)))
    return refuse(`--events goes with rows ${rows.flatMap((row) => (row.sizes ? [row.row] : [])).join(', ')} alone`)
  const results: Result[] = []
  for (const row of chosen) {
    const result = { row, measurements: (await isMeasurable(row)) ? await row.run(values.quick, entries) : [] }
    results.push(result)
    console.log(rowText(result))
    if (row.appendix && positionals.length > 0) console.log(row.appendix())
  }
  if (values.write) writeFileSync('docs/benchmarks.md', page(results, new Date().toISOString().slice(0, 10)))
  return 0
}

/** NaN for what is no count. */
function parseEvents(text: string): number {
  const count = /^\d{4,9}$/.test(text) ? Number(text) : Number.NaN
  return count >= 1000 && count <= 100_000_000 ? count : Number.NaN
}

/** Said loudly where it is not. */
async function isMeasurable({ row, needs }: Row): Promise<boolean> {
  if (!needs || (await isListening(needs.port))) return true
  console.error(`NOT MEASURED: row ${row}, there is no ${needs.name} on 127.0.0.1:${needs.port}`)
  return false
}

function isNamed({ row, name }: Row, asked: string): boolean {
  return asked === String(row) || asked === name
}

function refuse(message: string): number {
  console.error(`error: ${message}`)
  return 2
}

process.exitCode = await main(process.argv.slice(2))
