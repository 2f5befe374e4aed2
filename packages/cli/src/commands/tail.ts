/**
 * `sworn tail`: the newest entries, one line each; `-f` goes on as they are written.
 * @module
 */
import { ERRORS, SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { parseEntry } from '../reading/entry.ts'
import { createFilter, FILTER_FLAGS, type Filter, matchLine } from '../reading/filter.ts'
import { followLedger } from '../reading/follow.ts'
import { findLedger, type LedgerFiles } from '../reading/layout.ts'
import { type RawLine, readLedger } from '../reading/lines.ts'
import { ledgerPath } from '../reading/location.ts'
import { formatLine } from '../reading/show.ts'
import { createPaint } from '../text/colour.ts'
import { escapeText } from '../text/escape.ts'

export const tail = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    ...FILTER_FLAGS,
    follow: { type: 'boolean', short: 'f', about: 'go on as entries are written; ends with Ctrl-C' },
    lines: { type: 'string', short: 'n', value: 'N', about: 'how many entries at first, default 10' },
    json: { type: 'boolean', about: 'the stored lines instead' },
    utc: { type: 'boolean', about: 'times in UTC' },
  },
  example: 'sworn tail -f --decision deny',
  notes: ['Shown as stored, not verified.'],
  async run([path], flags, io) {
    const count = parseCount(flags.lines ?? '10')
    const filter = createFilter(flags, io.now())
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    const paint = createPaint(io)
    const show = async (line: RawLine): Promise<void> => {
      const entry = parseEntry(line)
      const text = entry ? formatLine(entry, paint, { utc: flags.utc, width: io.isTTY ? io.columns : undefined }) : ''
      if (entry) await io.out(flags.json ? line.bytes.toString('utf8') : text)
    }
    const { newest, nextSeq, unreadable } = await readNewest(files, filter, count, io)
    for (const line of newest) await show(line)
    if (unreadable > 0) io.err(`hint: ${ERRORS.LINE_MALFORMED}`)
    if (!flags.follow) return unreadable > 0 ? 1 : 0
    for await (const bytes of followLedger(files, nextSeq, io.signal)) {
      const line = { file: files.path, number: 0, bytes, complete: true }
      if (matchLine(line, filter)) await show(line)
    }
    return 0
  },
})

interface Newest {
  readonly newest: RawLine[]
  readonly nextSeq: number
  /** Lines that are no entries. */
  readonly unreadable: number
}

/** The newest matching lines, and the seq that comes next. */
async function readNewest(files: LedgerFiles, filter: Filter, count: number, io: Io): Promise<Newest> {
  let newest: RawLine[] = []
  let nextSeq: number | undefined
  let unreadable = 0
  for await (const line of readLedger(files)) {
    if (!line.complete) break
    const entry = matchLine(line, filter)
    if (entry === undefined) {
      unreadable++
      io.err(escapeText(`error: LINE_MALFORMED not an entry (at ${line.file}:${line.number})`))
    }
    nextSeq = (nextSeq ?? parseEntry(line)?.seq ?? 0) + 1 // counted from the first line: a pruned ledger does not begin at 0
    if (entry) newest.push(line)
    if (newest.length > 2 * count) newest = newest.slice(-count)
  }
  return { newest: count === 0 ? [] : newest.slice(-count), nextSeq: nextSeq ?? 0, unreadable }
}

function parseCount(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new SwornError('USAGE', 'a count from 0 to 99999 was expected', '--lines')
  return Number(text)
}
