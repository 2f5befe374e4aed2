/**
 * CSV with a column for every member: RFC 4180, and no cell that a spreadsheet would run.
 *
 * A cell that starts like a formula gets a leading `'`; plain numbers stay. Objects are JSON text. One event is one
 * line: line breaks in a cell are written `\n`. Written only.
 * Source: RFC 4180; OWASP, CSV injection.
 * @module
 */

import { EVENT_MEMBERS } from '@sworn/verify/events'
import { type Dialect, REST } from '../dialect.ts'
import { MEMBER_PLACES } from '../members.ts'
import { textOf } from './cef.ts'

const COLUMNS = ['seq', ...Object.keys(EVENT_MEMBERS), 'session_seq', 'entry_hash']
const FORMULA = /^[=+\-@\t\r\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}]/u
const NUMBER = /^-?\d+(?:\.\d+)?$/

function cell(value: string): string {
  const text = value.replace(/\r\n|[\r\n]/g, '\\n')
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text
  return /[",']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const csv: Dialect = {
  name: 'csv',
  title: 'CSV',
  source: 'RFC 4180, header row, formula-safe cells',
  mediaType: 'text/csv',
  extension: 'csv',
  names: MEMBER_PLACES,
  rest: REST.dropped,
  loss: ['Members of your own are lost; numbers, flags and texts look alike; line breaks are `\\n`.', 'It cannot be read back.'],
  openWriter: () => ({
    head: [COLUMNS.join(',')],
    write: (event) => ({ lines: [COLUMNS.map((name) => cell(textOf(event[name]) ?? '')).join(',')] }),
  }),
}
