/**
 * `sworn tail`: the newest entries, one line each; `-f` goes on as they are written.
 * @module
 */

import { findLedger, followLedger, parseEntry, readNewest } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import { createFilter, FILTER_FLAGS, matchLine } from '../reading/filter.ts'
import { ledgerPath } from '../reading/location.ts'
import { formatLine } from '../reading/show.ts'
import { createUnreadable } from '../reading/unreadable.ts'
import { createPaint } from '../text/colour.ts'

export const tail = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    ...FILTER_FLAGS,
    where: { type: 'string', value: 'CEL', about: "a filter over the event, e.g. 'duration_ms > 1000.0'" },
    follow: { type: 'boolean', short: 'f', about: 'go on as entries are written; ends with Ctrl-C' },
    lines: { type: 'string', short: 'n', value: 'N', about: 'how many entries at first, default 10' },
    json: { type: 'boolean', about: 'the stored lines instead' },
    utc: { type: 'boolean', about: 'times in UTC' },
  },
  example: 'sworn tail -f --decision deny',
  notes: [
    'Read from the end, no further back than what is shown. Shown as stored, not verified.',
    'Exit 1: lines are no entries; they are named where they stand in the segments that were read, and only there. `sworn verify` reads every line.',
  ],
  async run([path], flags, io) {
    const count = parseCount(flags.lines ?? '10')
    const where = flags.where === undefined ? undefined : (await import('@sworn/dialects')).compileFilter(flags.where)
    const filter = createFilter(flags, io.now(), where)
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    const paint = createPaint(io)
    const show = async (bytes: Buffer): Promise<void> => {
      const entry = parseEntry({ bytes })
      const text = entry ? formatLine(entry, paint, { utc: flags.utc, width: io.isTTY ? io.columns : undefined }) : ''
      if (entry) await io.out(flags.json ? bytes.toString('utf8') : text)
    }
    const unreadable = createUnreadable(io)
    const { lines, next } = await readNewest(files, { count, match: (line) => matchLine(line, filter), onUnreadable: unreadable.tell })
    for (const line of lines) await show(line)
    unreadable.hint()
    if (!flags.follow) return unreadable.count > 0 ? 1 : 0
    for await (const bytes of followLedger(files, next.seq, io.signal, next.place)) if (matchLine({ bytes }, filter)) await show(bytes)
    return 0
  },
})

function parseCount(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new SwornError('USAGE', 'a count from 0 to 99999 was expected', '--lines')
  return Number(text)
}
