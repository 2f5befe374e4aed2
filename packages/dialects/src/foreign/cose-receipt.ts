/**
 * Receipts of transparency services: a proof in an RFC 9162 tree whose root the service signed.
 *
 * The root is detached, so nothing can be checked from the receipt alone: the proof leads from the entry (or, for
 * consistency, from the earlier root) to a root, and the signature has to be over that one. Which bytes of a statement
 * are the entry is the service's to say; trying several is sound, because only what was signed fits.
 * Source: RFC 9942 §4 and §5; RFC 9162 §2.1.3.2, §2.1.4.2.
 * @module
 */
import { equalBytes, leafHash, parseHex, rootFromConsistency, rootFromInclusion, SwornError } from '@sworn/verify'
import { findKey, verifySignature } from './keys.ts'
import type { ForeignKey, ForeignOptions, ForeignReport, Tally } from './report.ts'
import { toReport } from './report.ts'
import { ALGORITHMS, decodeCbor, HEADER, idOf, type Sign1, signedBytes } from './sign1.ts'

const RFC9162_SHA256 = 1
const INCLUSION = -1
const CONSISTENCY = -2
const MAX_PROOFS = 64
const MAX_PATH = 64

interface Proof {
  readonly kind: typeof INCLUSION | typeof CONSISTENCY
  /** The place of the leaf, or the earlier size. */
  readonly from: number
  readonly size: number
  readonly path: readonly Uint8Array[]
}

export async function checkReceipt(receipt: Sign1, options: ForeignOptions, tally: Tally): Promise<ForeignReport> {
  const proofs = receiptProofs(receipt)
  if (receipt.headers.get(HEADER.vds) !== RFC9162_SHA256) tally.add('malformed', 1, 'an RFC 9162 SHA-256 tree was expected')
  if (!proofs) tally.add('malformed', 1, 'an inclusion or consistency proof was expected')
  if (!ALGORITHMS.has(receipt.headers.get(HEADER.alg))) tally.add('malformed', 1, 'an algorithm for P-256 or Ed25519 was expected')
  const { inputs = [], keys = [] } = options
  const key = receiptKey(receipt, options)
  const isAsked = inputs.length > 0 && keys.length > 0
  if (isAsked && !key) tally.add('key_unknown', 1, 'the key of the service is not one you gave')
  const isProven = proofs !== undefined && key !== undefined && isAsked && (await isReceiptFor(receipt, inputs, options))
  if (isAsked && key && !isProven)
    tally.add('proof_invalid', 1, 'no proof leads from what you gave to a root that the key of the service signed')
  const missing = missingOf(proofs, inputs.length > 0, keys.length > 0)
  const size = proofs?.[0]?.size
  const known = {
    bytes: { shown: true, detail: 'a receipt of a transparency service' },
    tree: { shown: isProven, detail: missing ?? `what you gave lies in the tree of size ${size}` },
    signed: { shown: isProven, detail: missing ?? `the root at size ${size} by the key you gave` },
  }
  return toReport('cose-receipt', 1, tally, known, [
    ...(isProven ? [] : ['A receipt alone proves nothing about an entry: it needs the statement and the key of the service.']),
    'That the service shows everybody the same tree needs receipts of consistency, or witnesses.',
  ])
}

/** What has to be given besides the receipt, and how; undefined when all is there. */
function missingOf(proofs: readonly Proof[] | undefined, hasInput: boolean, hasKey: boolean): string | undefined {
  const entry =
    proofs?.[0]?.kind === CONSISTENCY
      ? 'the earlier root was not given: --input FILE, 32 bytes or 64 hex digits'
      : 'the statement was not given: --input FILE, the bytes that the service hashed as its leaf'
  if (!hasInput) return hasKey ? entry : `${entry}; nor the key of the service: --key`
  return hasKey ? undefined : 'the key of the service was not given: --key'
}

/** The key that a receipt names, of the algorithm that it names. */
export function receiptKey({ headers, unprotected }: Sign1, options: ForeignOptions): ForeignKey | undefined {
  const algorithm = ALGORITHMS.get(headers.get(HEADER.alg))
  return algorithm && findKey(options, idOf(headers.get(HEADER.kid) ?? unprotected.get(HEADER.kid)), algorithm)
}

/** True when each proof of the receipt leads from one of `entries` to a root that the service's key signed. */
export async function isReceiptFor(receipt: Sign1, entries: readonly Uint8Array[], options: ForeignOptions): Promise<boolean> {
  const key = receiptKey(receipt, options)
  const proofs = receipt.headers.get(HEADER.vds) === RFC9162_SHA256 ? receiptProofs(receipt) : undefined
  if (!key || !proofs) return false
  for (const proof of proofs) {
    let isSigned = false
    for (const entry of entries) isSigned ||= await isSignedRoot(receipt, rootOf(proof, entry, options), key, options)
    if (!isSigned) return false
  }
  return true
}

async function isSignedRoot(receipt: Sign1, root: Uint8Array | undefined, key: ForeignKey, options: ForeignOptions): Promise<boolean> {
  if (!root || (receipt.payload && !equalBytes(receipt.payload, root))) return false
  return verifySignature(options, key, signedBytes(receipt, root), receipt.signature)
}

function rootOf({ kind, from, size, path }: Proof, entry: Uint8Array, { primitives }: ForeignOptions): Uint8Array | undefined {
  try {
    if (kind === INCLUSION) return rootFromInclusion(primitives, leafHash(primitives, entry), from, size, path)
    const earlier = toRoot(entry)
    return earlier && rootFromConsistency(primitives, from, size, earlier, path)
  } catch (e) {
    if (SwornError.is(e, 'PROOF_INVALID')) return undefined
    throw e
  }
}

/** A root as it is given: 32 bytes, or 64 hex digits. */
function toRoot(given: Uint8Array): Uint8Array | undefined {
  if (given.length === 32) return given
  const digits = given.length <= 128 ? String.fromCharCode(...given).trim() : ''
  return /^[0-9a-f]{64}$/i.test(digits) ? parseHex(digits.toLowerCase()) : undefined
}

/** The proofs of one kind: [size, place or size, [32-byte siblings]] each; undefined when there are none, or others. */
function receiptProofs({ unprotected }: Sign1): readonly Proof[] | undefined {
  const held = unprotected.get(HEADER.vdp)
  if (!(held instanceof Map)) return undefined
  const kind = held.has(INCLUSION) ? INCLUSION : CONSISTENCY
  const list: unknown = held.get(kind)
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_PROOFS) return undefined
  const proofs = list.map((bytes) => (bytes instanceof Uint8Array ? parseProof(decodeCbor(bytes), kind) : undefined))
  return proofs.every((proof) => proof !== undefined) ? proofs : undefined
}

function parseProof(decoded: unknown, kind: Proof['kind']): Proof | undefined {
  if (!Array.isArray(decoded) || decoded.length !== 3) return undefined
  const [a, b, path] = decoded
  const [from, size] = kind === INCLUSION ? [b, a] : [a, b]
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(size)) return undefined
  const inRange = kind === INCLUSION ? from >= 0 && from < size : from > 0 && from <= size
  const isPath = Array.isArray(path) && path.length <= MAX_PATH && path.every((node) => node instanceof Uint8Array && node.length === 32)
  return inRange && isPath ? { kind, from, size, path } : undefined
}
