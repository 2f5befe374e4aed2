/**
 * How far the index of a ledger is, for its page of numbers.
 * @module
 */
import { type Family, gauge } from '@sworn/deliver/metrics'
import { SwornError } from '@sworn/verify'

/** Nothing where there is no index, or this Node has none. @param directory the ledger's; absent for a lone file. @throws SQLite's error */
export async function indexFamilies(directory: string | undefined): Promise<readonly Family[]> {
  if (directory === undefined) return []
  const { readIndexPosition } = await import('@sworn/analyze')
  try {
    const next = await readIndexPosition(directory)
    return next === undefined ? [] : [gauge('sworn_index_entries', 'Entries of the ledger up to which queries find them indexed', next)]
  } catch (e) {
    if (SwornError.is(e, 'NODE_TOO_OLD')) return []
    throw e
  }
}
