/**
 * Committed values read back, by whoever has the ledger's keys: for an answer to the subject, or evidence for one recipient.
 *
 * Reads only. What was erased, or sealed under keys that are not here, is not found. Source: docs/format.md, "Committed values".
 * @module
 */
import { SwornError } from '@sworn/verify'
import { findIdentity } from '../ledger/identity.ts'
import { createEnv, type LedgerOptions } from '../ledger/options.ts'
import { listSegments } from '../ledger/segments.ts'
import { openRow } from './row.ts'
import { eachRow } from './store.ts'
import { createSubjectKeys } from './subject-keys.ts'

/**
 * The disclosures of `digests`, as they stand in lines (`{"$sd": digest}`). One pass over the vault; `readDisclosure` gives the value.
 *
 * @throws SwornError LEDGER_NOT_FOUND when no log.open is left
 */
export function findDisclosures(options: LedgerOptions, digests: Iterable<string>): ReadonlyMap<string, string> {
  const env = createEnv(options)
  const found = findIdentity(env, listSegments(env))
  if (!found) throw new SwornError('LEDGER_NOT_FOUND', 'no log.open is left', env.layout.path)
  const { logId, origin } = found.identity
  const keys = createSubjectKeys({ ops: env.ops, home: env.home, logId, random: (bytes) => env.random(bytes) })
  const wanted = new Set(digests)
  const disclosures = new Map<string, string>()
  eachRow(env, (row) => {
    if (!wanted.has(row.digest)) return
    const key = keys.find(row.subject_id, false)
    const disclosure = key && openRow(row, { key, origin })
    if (disclosure !== undefined) disclosures.set(row.digest, disclosure)
  })
  return disclosures
}
