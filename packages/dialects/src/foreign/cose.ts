/**
 * COSE: statements in NOA's profile (Ed25519, the receipt as payload) and receipts of transparency services.
 *
 * A statement has two signatures with two meanings: the native one names the agent, the envelope's the party that sent
 * it. Neither stands in for the other. Receipts that a statement carries are checked where the service's key is given.
 * Source: RFC 9052, RFC 9864 (alg -19), RFC 9942, RFC 9943; draft-noa-scitt-ai-agent-receipt-01 §6.
 * @module
 */
import { isJsonObject, type JsonObject, parseStrict, SwornError, text, toHex } from '@sworn/verify'
import { part } from '../codecs/values.ts'
import { checkReceipt, isReceiptFor, receiptKey } from './cose-receipt.ts'
import { findKey, isPinned, verifySignature } from './keys.ts'
import { checkNoaSignature, noaDigest } from './noa.ts'
import { noaFault, noaIncoherence } from './noa-form.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Known, type Tally, toReport } from './report.ts'
import { formatSign1, HEADER, idOf, parseSign1, type Sign1, signedBytes } from './sign1.ts'

const ED25519_ALG = -19
const MAX_RECEIPTS = 64
const UNREAD = { shown: false, detail: 'nothing could be read' }
const SENDER = 'The envelope says who sent the statement, never who acted.'
const ALONE = 'One statement says nothing about others before or after it.'
const UNSEEN = 'Receipts that the statement carries were not all checked: their services’ keys, in a keyring, come with --key.'

/**
 * @param options `inputs`: for a receipt the entry's bytes or the earlier root; for a statement its payload where that is
 *   detached, and the bytes that a service hashed where those are others than the statement without its receipts
 * @throws SwornError USAGE for inputs that nothing in the message asks for
 */
export async function checkCose(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const message = parseSign1(bytes)
  if (!message) {
    tally.add('malformed', 1, 'a COSE_Sign1 in deterministic CBOR was expected')
    return toReport('cose', 1, tally, { bytes: UNREAD, chain: UNREAD, tree: UNREAD, signed: UNREAD }, [SENDER, ALONE])
  }
  return message.headers.has(HEADER.vds) ? checkReceipt(message, options, tally) : checkStatement(message, options, tally)
}

async function checkStatement(message: Sign1, options: ForeignOptions, tally: Tally): Promise<ForeignReport> {
  const { headers, unprotected } = message
  if (options.inputs?.length && message.payload && !unprotected.has(HEADER.receipts))
    throw new SwornError('USAGE', 'the statement has its payload and carries no receipts: no --input was expected', 'inputs')
  const payload = message.payload ?? options.inputs?.[0]
  if (headers.get(HEADER.alg) !== ED25519_ALG) tally.add('malformed', 1, 'alg -19 (Ed25519) was expected')
  const kid = idOf(headers.get(HEADER.kid))
  const key = findKey(options, kid ?? idOf(unprotected.get(HEADER.kid)), 'Ed25519')
  if (isPinned(options) && !key) tally.add('key_unknown', 1, 'the key of the envelope is not one you gave')
  const fits = key && payload && (await verifySignature(options, key, signedBytes(message, payload), message.signature))
  if (key && payload && !fits) tally.add('signature_invalid', 1, 'the envelope’s signature does not fit')
  const receipt = payload && parseReceipt(payload)
  if (receipt) await checkNative(receipt, options, tally)
  const envelope =
    kid === undefined ? 'the envelope names its key unprotected, which identifies nobody' : 'the envelope by the key it names'
  const tree = await checkCarried(message, options, tally)
  const known: Known = {
    bytes: { shown: true, detail: receipt ? 'a NOA receipt in an envelope' : 'an envelope with a payload of its own' },
    ...(receipt && { chain: { shown: true, detail: 'the receipt’s own hash; its neighbours are not here' } }),
    ...(tree && { tree }),
    signed: signedOf(payload, options, receipt ? `${envelope}; the receipt by its agent’s key` : envelope),
  }
  return toReport('cose', 1, tally, known, [SENDER, ALONE, ...(tree?.shown === false ? [UNSEEN] : [])])
}

function signedOf(payload: Uint8Array | undefined, options: ForeignOptions, detail: string): NonNullable<Known['signed']> {
  if (!payload) return { shown: false, detail: 'the payload is detached and was not given: --input FILE' }
  return isPinned(options) ? { shown: true, detail } : { shown: false, detail: 'no key was given: --key' }
}

/** The receipts that a statement carries: what they show of it; undefined when there are none. */
async function checkCarried(message: Sign1, options: ForeignOptions, tally: Tally): Promise<Known['tree']> {
  const carried: unknown = message.unprotected.get(HEADER.receipts)
  if (carried === undefined) return undefined
  const receipts = Array.isArray(carried) && carried.length <= MAX_RECEIPTS ? carried.map(toReceipt) : []
  if (receipts.length === 0 || receipts.includes(undefined))
    tally.add('malformed', 1, `1 to ${MAX_RECEIPTS} receipts of RFC 9942 were expected in header 394`)
  const rest = new Map([...message.unprotected].filter(([name]) => name !== HEADER.receipts))
  const entries = [formatSign1(message, rest), formatSign1(message, new Map()), ...(options.inputs ?? [])]
  let shown = 0
  for (const receipt of receipts) {
    const key = receipt && receiptKey(receipt, options)
    if (!key) continue
    if (await isReceiptFor(receipt, entries, options)) shown += 1
    // A key without an id may be the envelope's alone: that a receipt does not fit it says nothing.
    else if (key.id !== undefined)
      tally.add('proof_invalid', 1, 'a receipt does not lead from the statement to a root that the key of its service signed')
  }
  const detail =
    shown > 0
      ? `by ${shown} of ${receipts.length} receipts`
      : `the keys of its ${receipts.length} receipts’ services were not given: --key, a keyring by their ids`
  return { shown: shown > 0 && shown === receipts.length, detail }
}

function toReceipt(bytes: unknown): Sign1 | undefined {
  return bytes instanceof Uint8Array ? parseSign1(bytes) : undefined
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
