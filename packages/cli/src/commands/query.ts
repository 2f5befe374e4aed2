/**
 * `sworn query`: entries that match, as table, JSON, JSON Lines or CSV. Streams; keeps only what a table or
 * `--limit` needs.
 * @module
 */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { ERRORS, SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import type { Entry } from '../reading/entry.ts'
import { createFilter, FILTER_FLAGS, type Filter, matchLine } from '../reading/filter.ts'
import { findLedger, type LedgerFiles } from '../reading/layout.ts'
import { type RawLine, readLedger } from '../reading/lines.ts'
import { ledgerPath } from '../reading/location.ts'
import { CSV_HEADER, formatCsv, formatEntries } from '../reading/show.ts'
import { escapeText } from '../text/escape.ts'

const TABLE_PAGE = 1000

type Write = (line: string) => Promise<void> | void
type Format = 'table' | 'json' | 'jsonl' | 'csv'

interface Found {
  readonly line: RawLine
  readonly entry: Entry
}

export const query = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    ...FILTER_FLAGS,
    limit: { type: 'string', value: 'N', about: 'the newest N matches only, oldest first' },
    format: { type: 'string', choices: ['table', 'json', 'jsonl', 'csv'], about: 'default table' },
    json: { type: 'boolean', about: 'same as --format json' },
    output: { type: 'string', short: 'o', value: 'FILE', about: 'write to FILE instead of stdout' },
    utc: { type: 'boolean', about: 'times of the table in UTC' },
    'fail-empty': { type: 'boolean', about: 'exit 1 when nothing matches' },
  },
  example: 'sworn query --since 1h --decision deny --format jsonl',
  notes: [
    'Shown as stored, not verified: `sworn verify` tells whether it was changed. jsonl is the stored lines, byte for byte.',
    'json is one object: {"entries":[…],"count":N,"unreadable":N}.',
  ],
  async run([path], flags, io) {
    const filter = createFilter(flags, io.now())
    const limit = parseLimit(flags.limit)
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    const sink = flags.output === undefined ? { write: io.out, close: async () => {} } : openFile(resolve(io.cwd, flags.output))
    const format = flags.json ? 'json' : ((flags.format ?? 'table') as Format) // one of the choices
    const unreadable = { count: 0 }
    const found = limit === undefined ? findAll(files, filter, io, unreadable) : findNewest(findAll(files, filter, io, unreadable), limit)
    const count = await printers[format](found, sink.write, { width: io.isTTY ? io.columns : 200, utc: flags.utc, unreadable })
    await sink.close()
    if (unreadable.count > 0) io.err(`hint: ${ERRORS.LINE_MALFORMED}`)
    if (format === 'table') io.say('info', `${count} found; shown as stored, \`sworn verify\` checks them`)
    return unreadable.count > 0 || (flags['fail-empty'] && count === 0) ? 1 : 0
  },
})

interface PrintOptions {
  readonly width: number
  readonly utc: boolean
  readonly unreadable: { readonly count: number }
}
type Printer = (found: AsyncIterable<Found>, write: Write, options: PrintOptions) => Promise<number>

const printers: Readonly<Record<Format, Printer>> = {
  async jsonl(found, write) {
    let count = 0
    for await (const { line } of found) {
      await write(line.bytes.toString('utf8'))
      count++
    }
    return count
  },
  async json(found, write, { unreadable }) {
    let count = 0
    await write('{"entries":[')
    for await (const { line } of found) await write(`${count++ === 0 ? '' : ','}${line.bytes.toString('utf8')}`)
    await write(`],"count":${count},"unreadable":${unreadable.count}}`)
    return count
  },
  async csv(found, write) {
    let count = 0
    await write(CSV_HEADER)
    for await (const { entry } of found) {
      await write(formatCsv(entry))
      count++
    }
    return count
  },
  async table(found, write, options) {
    let count = 0
    let page: Entry[] = []
    const flush = async () => {
      const lines = formatEntries(page, options)
      for (const line of count > page.length ? lines.slice(1) : lines) await write(line)
      page = []
    }
    for await (const { entry } of found) {
      page.push(entry)
      count++
      if (page.length === TABLE_PAGE) await flush()
    }
    await flush()
    return count
  },
}

async function* findAll(files: LedgerFiles, filter: Filter, io: Io, unreadable: { count: number }): AsyncGenerator<Found> {
  for await (const line of readLedger(files)) {
    const entry = matchLine(line, filter)
    if (entry) yield { line, entry }
    else if (entry === undefined && line.complete) {
      unreadable.count++
      io.err(escapeText(`error: LINE_MALFORMED not an entry (at ${line.file}:${line.number})`))
    }
  }
}

async function* findNewest(found: AsyncIterable<Found>, limit: number): AsyncGenerator<Found> {
  const ring: Found[] = []
  let next = 0
  for await (const one of found) {
    ring[next % limit] = one
    next++
  }
  const start = next > limit ? next % limit : 0
  yield* ring.slice(start)
  yield* ring.slice(0, start)
}

function parseLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new SwornError('USAGE', 'a count from 1 to 999999 was expected', '--limit')
  return Number(text)
}

function openFile(path: string): { write: Write; close(): Promise<void> } {
  const stream = createWriteStream(path, { mode: 0o600 })
  const failed = new Promise<never>((_, reject) => stream.on('error', reject))
  failed.catch(() => {}) // awaited by whichever write or close comes next
  return {
    write: async (line) => {
      if (!stream.write(`${line}\n`)) await Promise.race([once(stream, 'drain'), failed])
    },
    close: async () => {
      stream.end()
      await Promise.race([once(stream, 'finish'), failed])
    },
  }
}
