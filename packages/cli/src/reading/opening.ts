/**
 * What a ledger says of itself in its first record. Unverified: it only says what to compare with.
 * @module
 */
import { type Entry, isDamage, type LedgerFiles, listSegments, parseEntry, readLines } from '@sworn/analyze/reading'
import { readReserved } from './pruned.ts'
import type { Opening } from './trusted-ledgers.ts'

/** It becomes part of a path. */
const LOG_ID = /^[\w-]{22}$/

/** The first line that is there; none of a compressed file that is damaged, which a verification finds. */
export async function readFirst(files: LedgerFiles): Promise<Entry | undefined> {
  const first = listSegments(files)[0]
  if (!first) return undefined
  try {
    for await (const line of readLines(first.path)) return parseEntry(line)
  } catch (e) {
    if (!isDamage(e)) throw e
  }
  return undefined
}

/** log.open, in the first segment or, when that was pruned, as it was kept. */
export async function readOpening(files: LedgerFiles): Promise<Opening> {
  const first = await readFirst(files)
  const entry = first?.event_type === 'log.open' ? first : readKept(files.directory)
  if (entry?.event_type !== 'log.open') return {}
  return {
    ...(typeof entry.origin === 'string' && { origin: entry.origin }),
    ...(typeof entry.log_id === 'string' && LOG_ID.test(entry.log_id) && { logId: entry.log_id }),
  }
}

function readKept(directory: string | undefined): Entry | undefined {
  const line = directory ? readReserved(directory)[0] : undefined
  return line && parseEntry({ bytes: Buffer.from(line) })
}
