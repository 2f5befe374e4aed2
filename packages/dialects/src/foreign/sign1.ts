/**
 * COSE_Sign1 in strict CBOR: its parts, the bytes that are signed, and keys by their id. Attacker-controlled.
 * Source: RFC 9052 §4.2 and §4.4; RFC 9864 for the algorithms.
 * @module
 */
import { concat, text, toHex } from '@sworn/verify'
import { decode, encode } from 'cborg'
import type { ForeignKey } from './report.ts'

const SIGN1 = 18
const TAG = Uint8Array.of(0xd2)
const EMPTY = new Uint8Array()

export const HEADER = { alg: 1, kid: 4, receipts: 394, vds: 395, vdp: 396 }

/** Algorithms by their number; -7 and -8 are the old names of -9 and -19 for these keys. */
export const ALGORITHMS: ReadonlyMap<unknown, ForeignKey['algorithm']> = new Map([
  [-7, 'ES256'],
  [-9, 'ES256'],
  [-8, 'Ed25519'],
  [-19, 'Ed25519'],
])

export interface Sign1 {
  readonly protectedBytes: Uint8Array
  readonly headers: ReadonlyMap<unknown, unknown>
  readonly unprotected: ReadonlyMap<unknown, unknown>
  /** Undefined when it is detached. */
  readonly payload: Uint8Array | undefined
  readonly signature: Uint8Array
}

/** True for bytes that begin as a tagged COSE_Sign1 does. */
export function isCose(bytes: Uint8Array): boolean {
  return bytes[0] === TAG[0] && bytes[1] === 0x84
}

export function parseSign1(bytes: Uint8Array): Sign1 | undefined {
  const decoded = decodeCbor(bytes)
  if (!Array.isArray(decoded) || decoded.length !== 4) return undefined
  const [protectedBytes, unprotected, payload, signature] = decoded
  if (!(protectedBytes instanceof Uint8Array) || !(unprotected instanceof Map) || !(signature instanceof Uint8Array)) return undefined
  const headers = decodeCbor(protectedBytes)
  if (!(headers instanceof Map) || !(payload === null || payload instanceof Uint8Array)) return undefined
  return { protectedBytes, headers, unprotected, payload: payload ?? undefined, signature }
}

/** The message whole, with these unprotected headers. */
export function formatSign1({ protectedBytes, payload, signature }: Sign1, unprotected: ReadonlyMap<unknown, unknown>): Uint8Array {
  return concat(TAG, encode([protectedBytes, unprotected, payload ?? null, signature]))
}

/** What the signature is over: the Sig_structure of RFC 9052 §4.4, without external data. */
export function signedBytes({ protectedBytes }: Sign1, payload: Uint8Array): Uint8Array {
  return encode(['Signature1', protectedBytes, EMPTY, payload])
}

/** Strict CBOR; undefined for anything else. */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, {
      strict: true,
      useMaps: true,
      rejectDuplicateMapKeys: true,
      tags: { [SIGN1]: (value: () => unknown) => value() },
    })
  } catch {
    return undefined // the finding says so
  }
}

/** A key id as keyrings have it: text, or hex where it is none. */
export function idOf(kid: unknown): string | undefined {
  if (!(kid instanceof Uint8Array)) return undefined
  try {
    return text(kid)
  } catch {
    return toHex(kid)
  }
}
