/**
 * COSE: statements in NOA's profile (Ed25519, the receipt as payload) and receipts of transparency services.
 *
 * A statement has two signatures with two meanings: the native one names the agent, the envelope's the party that sent
 * it. Neither stands in for the other. A receipt proves nothing without the statement and the service's key.
 * Source: RFC 9052, RFC 9864 (alg -19), RFC 9942; draft-noa-scitt-ai-agent-receipt-01 §6.
 * @module
 */
import { isJsonObject, type JsonObject, parseStrict, text, toHex } from '@sworn/verify'
import { decode, encode } from 'cborg'
import { part } from '../codecs/values.ts'
import { findKey, isPinned, verifySignature } from './keys.ts'
import { checkNoaSignature, noaDigest } from './noa.ts'
import { noaFault, noaIncoherence } from './noa-form.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Known, type Tally, toReport } from './report.ts'

const SIGN1 = 18
const HEADER = { alg: 1, kid: 4, vds: 395, vdp: 396 }
const ED25519_ALG = -19
const RFC9162_SHA256 = 1
const UNREAD = { shown: false, detail: 'nothing could be read' }
const STATEMENT_LIMITS = [
  'The envelope says who sent the statement, never who acted.',
  'One statement says nothing about others before or after it.',
  'Receipts that a statement carries are not checked: the bytes of its leaf are the service’s to say.',
]

interface Sign1 {
  readonly protectedBytes: Uint8Array
  readonly headers: ReadonlyMap<unknown, unknown>
  readonly unprotected: ReadonlyMap<unknown, unknown>
  readonly payload: Uint8Array | undefined
  readonly signature: Uint8Array
}

/** True for bytes that begin as a tagged COSE_Sign1 does. */
export function isCose(bytes: Uint8Array): boolean {
  return bytes[0] === 0xd2 && bytes[1] === 0x84
}

export async function checkCose(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const message = parseSign1(bytes)
  if (!message) {
    tally.add('malformed', 1, 'a COSE_Sign1 in deterministic CBOR was expected')
    return toReport('cose', 1, tally, { bytes: UNREAD, chain: UNREAD, signed: UNREAD }, STATEMENT_LIMITS)
  }
  return message.headers.has(HEADER.vds) ? checkReceipt(message, tally) : checkStatement(message, options, tally)
}

/** A receipt is shown to have its form; root and signature need the statement and the service's key. */
function checkReceipt({ headers, unprotected }: Sign1, tally: Tally): ForeignReport {
  const proofs = unprotected.get(HEADER.vdp)
  if (headers.get(HEADER.vds) !== RFC9162_SHA256) tally.add('malformed', 1, 'an RFC 9162 SHA-256 tree was expected')
  const isProof = proofs instanceof Map && [-1, -2].some((kind) => isProofList(proofs.get(kind), kind))
  if (!isProof) tally.add('malformed', 1, 'an inclusion or consistency proof was expected')
  const known = {
    bytes: { shown: true, detail: 'a receipt of a transparency service' },
    tree: { shown: false, detail: 'the statement that it is for is not here' },
    signed: { shown: false, detail: 'the root is detached: without the statement the signature cannot be checked' },
  }
  return toReport('cose-receipt', 1, tally, known, [
    'A receipt alone proves nothing about an entry: it needs the statement and the key of the service.',
    'A consistency receipt needs both roots, which are not in it.',
  ])
}

/** Each proof: [size, index or size, [32-byte siblings]], at most 64 deep. */
function isProofList(list: unknown, kind: number): boolean {
  if (!Array.isArray(list) || list.length === 0) return false
  return list.every((bytes) => {
    const proof = bytes instanceof Uint8Array ? decodeCbor(bytes) : undefined
    if (!Array.isArray(proof) || proof.length !== 3) return false
    const [a, b, path] = proof
    const inRange = Number.isSafeInteger(a) && Number.isSafeInteger(b) && (kind === -1 ? b >= 0 && b < a : a > 0 && a <= b)
    return inRange && Array.isArray(path) && path.length <= 64 && path.every((node) => node instanceof Uint8Array && node.length === 32)
  })
}

async function checkStatement(message: Sign1, options: ForeignOptions, tally: Tally): Promise<ForeignReport> {
  const { headers, unprotected, payload } = message
  if (headers.get(HEADER.alg) !== ED25519_ALG) tally.add('malformed', 1, 'alg -19 (Ed25519) was expected')
  const kid = idOf(headers.get(HEADER.kid))
  const key = findKey(options, kid ?? idOf(unprotected.get(HEADER.kid)), 'Ed25519')
  if (isPinned(options) && !key) tally.add('key_unknown', 1, 'the key of the envelope is not one you gave')
  const signed = payload && encode(['Signature1', message.protectedBytes, new Uint8Array(), payload])
  if (key && !(signed && (await verifySignature(options, key, signed, message.signature))))
    tally.add('signature_invalid', 1, 'the envelope’s signature does not fit')
  const receipt = payload && parseReceipt(payload)
  if (receipt) await checkNative(receipt, options, tally)
  const detail = kid === undefined ? 'the envelope names its key unprotected, which identifies nobody' : 'the envelope by the key it names'
  const known: Known = {
    bytes: { shown: true, detail: receipt ? 'a NOA receipt in an envelope' : 'an envelope with a payload of its own' },
    ...(receipt && { chain: { shown: true, detail: 'the receipt’s own hash; its neighbours are not here' } }),
    signed: {
      shown: isPinned(options),
      detail: isPinned(options) ? `${detail}${receipt ? '; the receipt by its agent’s key' : ''}` : 'no key was given',
    },
  }
  return toReport('cose', 1, tally, known, STATEMENT_LIMITS)
}

async function checkNative(receipt: JsonObject, options: ForeignOptions, tally: Tally): Promise<void> {
  const fault = noaFault(receipt)
  if (fault !== undefined) return tally.add('malformed', 1, `the form of noa.receipt/0.1 was expected at ${fault}`)
  const incoherent = noaIncoherence(receipt)
  if (incoherent) tally.add('incoherent', 1, incoherent)
  if (part(receipt, 'chain').hash !== `sha256:${toHex(noaDigest(receipt, options))}`)
    tally.add('hash_mismatch', 1, 'chain.hash is not a hash of its own contents')
  await checkNoaSignature(1, receipt, options, tally)
}

function parseReceipt(payload: Uint8Array): JsonObject | undefined {
  try {
    const value = parseStrict(text(payload))
    return isJsonObject(value) && value.spec === 'noa.receipt/0.1' ? value : undefined
  } catch {
    return undefined // a payload of another kind
  }
}

function parseSign1(bytes: Uint8Array): Sign1 | undefined {
  const decoded = decodeCbor(bytes)
  if (!Array.isArray(decoded) || decoded.length !== 4) return undefined
  const [protectedBytes, unprotected, payload, signature] = decoded
  if (!(protectedBytes instanceof Uint8Array) || !(unprotected instanceof Map) || !(signature instanceof Uint8Array)) return undefined
  const headers = decodeCbor(protectedBytes)
  if (!(headers instanceof Map) || !(payload === null || payload instanceof Uint8Array)) return undefined
  return { protectedBytes, headers, unprotected, payload: payload ?? undefined, signature }
}

/** Strict CBOR; undefined for anything else. */
function decodeCbor(bytes: Uint8Array): unknown {
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

function idOf(kid: unknown): string | undefined {
  if (!(kid instanceof Uint8Array)) return undefined
  try {
    return text(kid)
  } catch {
    return toHex(kid)
  }
}
