/**
 * Legal holds against what an operator is about to destroy.
 * @module
 */

import { type LedgerFiles, parseEntry, readLedger } from '@sworn/analyze/reading'
import { createHoldTest, readHolds } from '@sworn/analyze/retention'
import { SwornError } from '@sworn/verify'

/**
 * Erasing a value is dropping it: what a hold keeps is kept whole.
 *
 * @param keys the directory `keys/<log_id>`. @param seqs of the entries that would lose something
 * @throws SwornError USAGE for the first of them that is under a hold, naming both; CONFIG_INVALID for holds that cannot be read
 */
export async function checkNotHeld(files: LedgerFiles, keys: string, seqs: Iterable<number>): Promise<void> {
  const holds = readHolds(keys)
  const asked = new Set(seqs)
  if (holds.length === 0 || asked.size === 0) return
  const heldBy = createHoldTest(holds)
  for await (const line of readLedger(files)) {
    if (!line.bytes.includes(COMMITTED)) continue
    const entry = parseEntry(line)
    const hold = entry && asked.has(entry.seq) ? heldBy(entry) : undefined
    if (entry && hold !== undefined)
      throw new SwornError('USAGE', `it is under the legal hold ${hold}; release that first: nothing was erased`, `seq=${entry.seq}`)
  }
}

const COMMITTED = Buffer.from('{"$sd":"')
