/**
 * Rows of Aegis's `audit_log` table: their form, and what the numbering shows. There is no hash and no key in a row.
 *
 * Source: Aegis audit trail page, "What gets logged"; `runtime/audit.py` (AUTOINCREMENT never gives a number twice).
 * @module
 */
import { AEGIS_COLUMNS } from '../codecs/aegis-rows.ts'
import { readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, toReport } from './report.ts'

const LIMITS = [
  'Rows have no hash and no key: whoever can write the table can change, add and remove any of them unseen.',
  'Numbers that are missing may have been removed, or never been written here; the table’s counter can be set as well.',
]

/**
 * @param options of which nothing is used: there is nothing to check a row with
 * @param highest the number that the table gave last, `sqlite_sequence.seq`, where it is known
 */
export async function checkAegisRows(bytes: Uint8Array, _: ForeignOptions, highest?: number): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  let last = 0
  let missing = 0
  for (const { number, value } of records) {
    const { id } = value
    if (Object.keys(value).some((name) => !AEGIS_COLUMNS.includes(name)))
      tally.add('malformed', number, 'a column that audit_log does not have')
    if (!Number.isSafeInteger(id)) tally.add('malformed', number, 'a number of its own was expected')
    else if (Number(id) <= last) tally.add('seq_repeat', number, `a number above ${last} was expected`)
    else {
      missing += Number(id) - last - 1
      last = Number(id)
    }
  }
  const cut = highest !== undefined && highest > last ? highest - last : 0
  const gaps = missing > 0 ? `, ${missing} between them missing` : ', none missing between them'
  const detail = `${records.count} rows numbered up to ${last}${gaps}${cut > 0 ? `; the table gave ${cut} more, which are not there` : ''}`
  return toReport('aegis-rows', records.count, tally, { bytes: { shown: true, detail } }, LIMITS)
}
