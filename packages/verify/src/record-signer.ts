/**
 * The signatures of single records under one key, checked without the log around them.
 * @module
 */
import { toHex } from './bytes.ts'
import type { Link } from './chain.ts'
import { SwornError } from './errors.ts'
import { parseVkey } from './keys.ts'
import { readSignature, signableText } from './line.ts'
import { isSignedBy } from './note.ts'
import type { Primitives } from './primitives.ts'

/** Who signs the records of a log. Plain data. */
export interface RecordSigner {
  readonly origin: string
  readonly vkey: string
}

/** True for a line whose own hash held and that carries the signer's signature. */
export type RecordCheck = (bytes: Uint8Array, link: Link) => Promise<boolean>

export function createRecordCheck(p: Primitives, { origin, vkey }: RecordSigner): RecordCheck {
  const key = parseVkey(vkey)
  return async (bytes, { suffix, leaf }) => {
    try {
      const signature = readSignature(bytes, suffix)
      return signature !== undefined && (await isSignedBy(p, key, signableText(origin, suffix.seq, toHex(leaf.subarray(1))), signature))
    } catch (e) {
      if (SwornError.is(e, 'LINE_MALFORMED')) return false
      throw e
    }
  }
}
