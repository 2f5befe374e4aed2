/**
 * The vault as redaction sees it: a value goes in, what may stand in the line comes out, with the row that goes before it.
 *
 * Lives on the caller's side: what leaves is a digest and ciphertext. Total: where a key cannot be read or made the
 * answer is undefined, and the caller masks the value. Source: docs/format.md, "Committed values".
 * @module
 */
import { LABEL } from '@sworn/verify'
import { type FileOps, nodeFileOps } from '../ledger/file-ops.ts'
import type { LedgerInfo } from '../port/types.ts'
import { createKeyedHash } from '../redact/keyed-hash.ts'
import type { Vault } from '../redact/types.ts'
import { createDisclosure } from './disclosure.ts'
import { derive } from './primitives.ts'
import { formatRow, type SealOptions, sealRow } from './row.ts'
import { createSubjectKeys, type SubjectKeys, subjectIdOf } from './subject-keys.ts'

export interface VaultOptions {
  /** SWORN_HOME: the keys of subjects lie beside those of the ledger. */
  readonly home: string
  readonly info: Pick<LedgerInfo, 'logId' | 'origin' | 'macKey'>
  readonly ops?: FileOps
  /** Cryptographically random bytes. */
  readonly random?: (bytes: number) => Uint8Array
}

const SALT_BYTES = 16
const IV_BYTES = 12
const HASH_KEY_BYTES = 32

/** undefined where this client may not have the ledger's MAC key: nothing can be committed then. */
export function createVault({ home, info, ops = nodeFileOps, random = randomBytes }: VaultOptions): Vault | undefined {
  const { logId, origin, macKey } = info
  if (!macKey) return undefined
  const keys = createSubjectKeys({ ops, home, logId, random })
  return {
    commit(value, { subject, eventId, pointer }) {
      const subjectId = subjectIdOf(macKey, subject)
      const key = keyOf(keys, subjectId)
      if (!key) return undefined
      const options: SealOptions = { key, origin }
      const place = { subject_id: subjectId, pointer, event_id: eventId }
      const row = sealRow(place, createDisclosure(value, random(SALT_BYTES)), random(IV_BYTES), options)
      return { digest: row.digest, row: formatRow(row) }
    },
    hash(subject, value) {
      const key = keyOf(keys, subjectIdOf(macKey, subject))
      return key && createKeyedHash(hashKey(key))(value)
    },
  }
}

/** For keyed hashes over what holds a committed value: it dies with the subject's key. HKDF-SHA-256, RFC 5869, no salt. */
export function hashKey(subjectKey: Uint8Array): Uint8Array {
  return derive(subjectKey, { info: Buffer.from(`${LABEL} hash`), bytes: HASH_KEY_BYTES })
}

function keyOf(keys: SubjectKeys, subjectId: string): Uint8Array | undefined {
  try {
    return keys.find(subjectId, true)
  } catch {
    return undefined // the disk's trouble: the value is masked, and the event says so
  }
}

function randomBytes(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes))
}
