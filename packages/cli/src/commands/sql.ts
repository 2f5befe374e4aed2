/**
 * `sworn sql`: a SELECT over the index, read only.
 * @module
 */
import { resolve } from 'node:path'
import type { SqlAnswer } from '@sworn/analyze'
import { findLedger } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import { checkFolder, openOutput } from '../querying/output.ts'
import { ledgerPath } from '../reading/location.ts'
import { createUnreadable } from '../reading/unreadable.ts'
import { formatRow } from '../text/csv.ts'
import { createProgress } from '../text/progress.ts'
import { formatTable } from '../text/table.ts'

const FORMATS = ['table', 'json', 'jsonl', 'csv'] as const
type Format = (typeof FORMATS)[number]
/** A table is held to be straight. */
const MAX_TABLE_ROWS = 10_000

export const sql = defineCommand({
  args: 'SQL [PATH]',
  maxArgs: 2,
  flags: {
    format: { type: 'string', choices: FORMATS, about: `default table, of at most ${MAX_TABLE_ROWS} rows` },
    json: { type: 'boolean', about: 'same as --format json' },
    output: { type: 'string', short: 'o', value: 'FILE', about: 'write to FILE instead of stdout' },
  },
  example: 'sworn sql "SELECT tool, count(*) AS calls FROM entries GROUP BY tool ORDER BY calls DESC"',
  notes: [
    'Columns of `entries`: seq, timestamp, event_type, severity, decision, reason_code, tool, server, risk_level, outcome, user, agent_id, agent_name, model, session_id, correlation_id, parent_id, duration_ms, and time in milliseconds. SQLite syntax.',
    'Read only: a statement that does anything but select is refused. What it answers is the index, not verified; entries themselves: `sworn query`.',
  ],
  async run([statement, path], flags, io) {
    if (statement === undefined) throw new SwornError('USAGE', 'a SELECT was expected')
    if (path && /\s/.test(path) && !/\s/.test(statement)) throw new SwornError('USAGE', 'the SELECT was expected first, then the ledger')
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    if (files.directory === undefined) throw new SwornError('LEDGER_DETACHED', 'a ledger with its directory was expected', files.path)
    if (flags.output !== undefined) await checkFolder(resolve(io.cwd, flags.output))
    const { askSql } = await import('@sworn/analyze')
    const progress = createProgress(io, flags.quiet)
    const unreadable = createUnreadable(io)
    const onNotice = (text: string) => io.say('info', text)
    const options = { signal: io.signal, onProgress: progress.show, onNotice, onUnreadable: unreadable.tell }
    const answer = await askSql(files, files.directory, statement, options).finally(progress.clear)
    try {
      const format = flags.json ? 'json' : ((flags.format ?? 'table') as Format) // one of the choices
      if (format.startsWith('json') && new Set(answer.columns).size < answer.columns.length)
        throw new SwornError('USAGE', 'names of columns that differ were expected; give them with AS', 'SQL')
      const output = await openOutput(flags.output, files, io)
      io.signal.throwIfAborted()
      io.leaveSignals()
      for (const line of formats[format](answer, io.isTTY ? io.columns : 200)) await output.write(line)
      await output.close()
    } finally {
      answer.close()
    }
    unreadable.hint()
    return unreadable.count > 0 ? 1 : 0
  },
})

const formats: Readonly<Record<Format, (answer: SqlAnswer, width: number) => Iterable<string>>> = {
  *table({ columns, rows }, width) {
    const held: string[][] = []
    for (const row of rows) {
      held.push(row.map((value) => String(value ?? '')))
      if (held.length > MAX_TABLE_ROWS)
        throw new SwornError('USAGE', `at most ${MAX_TABLE_ROWS} rows were expected in a table; add LIMIT, or --format jsonl`, 'SQL')
    }
    yield* formatTable(
      columns.map((title) => ({ title, stretch: true as const })),
      held,
      width,
    )
  },
  *json({ columns, rows }) {
    let separator = ''
    yield '{"rows":['
    for (const row of rows) {
      yield `${separator}${JSON.stringify(toObject(columns, row))}`
      separator = ','
    }
    yield ']}'
  },
  *jsonl({ columns, rows }) {
    for (const row of rows) yield JSON.stringify(toObject(columns, row))
  },
  *csv({ columns, rows }) {
    yield formatRow(columns)
    for (const row of rows) yield formatRow(row.map((value) => String(value ?? '')))
  },
}

function toObject(columns: readonly string[], row: readonly unknown[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(columns.map((name, i) => [name, row[i]]))
}
