/**
 * Values of which a ledger holds the commitment alone: `{"$sd":"<digest>"}` in its lines.
 * @module
 */
import { type LedgerFiles, readLedger } from '@sworn/analyze/reading'

const FORM = /\{"\$sd":"[\w-]{43}"\}/g

/** How many there are, erased ones included. Reads every line. */
export async function countCommitted(files: LedgerFiles): Promise<number> {
  let count = 0
  for await (const { bytes } of readLedger(files)) {
    if (bytes.includes('{"$sd":"')) count += bytes.toString('latin1').match(FORM)?.length ?? 0
  }
  return count
}
