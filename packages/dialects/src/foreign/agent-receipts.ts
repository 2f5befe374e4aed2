/**
 * Agent receipts (Obsigna): verifiable credentials, each signed over its RFC 8785 form without the proof, linked by
 * the hash of the same bytes.
 *
 * `proof` lies outside what is signed, so its type is checked by name. Source: agent-receipts spec 0.1 to 0.5 and its
 * cross-SDK vectors.
 * @module
 */
import { asText, type JsonObject, type JsonValue, parseStrict, SwornError, text, toHex } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'
import { jcs } from '../jcs.ts'
import { form } from './chains.ts'
import { didKey, findKey, fromBase64Url, isPinned, verifySignature } from './keys.ts'
import { type ForeignRecord, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'

const UNDISCLOSED =
  'Parameters are hashes, or encrypted to their recipient: give what they were as JSON with --input to have it checked against them.'

interface Chain {
  previous: ForeignRecord | undefined
  ended: boolean
}

/** The bytes that are signed, and whose hash the next receipt names. */
export function agentReceiptBytes({ proof: _, ...receipt }: JsonObject): Uint8Array {
  return jcs(receipt)
}

/**
 * @param options `inputs`: parameters as JSON, each to be those of a receipt
 * @throws SwornError USAGE for inputs that are not JSON
 */
export async function checkAgentReceipts(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  const disclosed = new Map((options.inputs ?? []).map((input) => [parametersHash(input, options), false]))
  const chains = new Map<JsonValue, Chain>()
  for (const record of records) {
    checkForm(record, tally)
    checkLink(record, chains, options, tally)
    await checkProof(record, options, tally)
    const hash = part(part(record.value, 'credentialSubject'), 'action').parameters_hash
    if (typeof hash === 'string' && disclosed.has(hash)) disclosed.set(hash, true)
  }
  for (const isFound of disclosed.values())
    if (!isFound) tally.add('hash_mismatch', undefined, 'no receipt has the parameters_hash of the parameters that you gave')
  const open = [...chains.values()].filter((chain) => !chain.ended).length
  const known = {
    bytes: form(records),
    chain: {
      shown: true,
      detail: `every receipt links the one before of its chain${disclosed.size > 0 ? '; the parameters you gave are hashed here' : ''}`,
    },
    signed: { shown: isPinned(options), detail: isPinned(options) ? 'by the key you gave' : 'no key was given: --key' },
    complete: {
      shown: open === 0,
      detail: open === 0 ? 'every chain ends with a terminal receipt' : `${open} chains have no terminal receipt`,
    },
  }
  return toReport('agent-receipts', records.count, tally, known, [
    'A chain without a terminal receipt may have been cut at the end.',
    'The proof’s own members (created, verificationMethod) are not signed.',
    'A key rotation is a receipt like any other here: it does not make the new key trusted.',
    ...(disclosed.size > 0 ? [] : [UNDISCLOSED]),
  ])
}

/** `parameters_hash` of parameters that came another way, or that their recipient decrypted. */
function parametersHash(input: Uint8Array, { primitives }: ForeignOptions): string {
  try {
    return `sha256:${toHex(primitives.hash('sha256', jcs(parseStrict(text(input)))))}`
  } catch (cause) {
    throw new SwornError('USAGE', 'parameters as JSON were expected', 'inputs', { cause })
  }
}

function checkForm({ number, value }: ForeignRecord, tally: Tally): void {
  const isTyped = Array.isArray(value.type) && value.type.includes('AgentReceipt')
  if (!isTyped) tally.add('malformed', number, 'type AgentReceipt was expected')
  const subject = part(value, 'credentialSubject')
  const missing = ['action', 'outcome', 'chain', 'principal'].find((name) => Object.keys(part(subject, name)).length === 0)
  if (missing) tally.add('malformed', number, `credentialSubject.${missing} was expected`)
}

function checkLink(
  { number, value, ...rest }: ForeignRecord,
  chains: Map<JsonValue, Chain>,
  { primitives }: ForeignOptions,
  tally: Tally,
): void {
  const link = part(part(value, 'credentialSubject'), 'chain')
  const chain = chains.get(link.chain_id ?? null) ?? { previous: undefined, ended: false }
  chains.set(link.chain_id ?? null, chain)
  const { previous } = chain
  if (chain.ended) tally.add('link_mismatch', number, 'the chain ended with a terminal receipt before')
  const before = previous && part(part(previous.value, 'credentialSubject'), 'chain').sequence
  const expected = typeof before === 'number' ? before + 1 : 1
  if (typeof link.sequence !== 'number') tally.add('malformed', number, 'chain.sequence was expected')
  else if (link.sequence < expected) tally.add('seq_repeat', number, `sequence ${expected} was expected`)
  else if (link.sequence > expected) tally.add('seq_gap', number, `sequence ${expected} was expected`)
  const hash = previous ? `sha256:${toHex(primitives.hash('sha256', agentReceiptBytes(previous.value)))}` : null
  if (own(link, 'previous_receipt_hash') !== hash) {
    tally.add(
      'link_mismatch',
      number,
      hash === null
        ? 'a first receipt with previous_receipt_hash null was expected'
        : 'previous_receipt_hash is not the hash of the receipt before',
    )
  }
  chain.previous = { number, value, ...rest }
  chain.ended = link.terminal === true
}

async function checkProof({ number, value }: ForeignRecord, options: ForeignOptions, tally: Tally): Promise<void> {
  const proof = part(value, 'proof')
  const { proofValue } = proof
  const signature = typeof proofValue === 'string' && proofValue.startsWith('u') ? fromBase64Url(proofValue.slice(1)) : undefined
  if (proof.type !== 'Ed25519Signature2020')
    return tally.add('signature_invalid', number, 'a proof of type Ed25519Signature2020 was expected')
  if (signature?.length !== 64) return tally.add('signature_invalid', number, 'a proofValue of 64 bytes in base64url was expected')
  if (!isPinned(options)) return
  const method = asText(proof.verificationMethod)
  const key = findKey(options, method, 'Ed25519')
  // A did:key names a key by itself: another one, however trusted, is not meant.
  if (!key || (method.startsWith('did:key:') && method.split('#', 1)[0] !== didKey(key.publicKey)))
    return tally.add('key_unknown', number, 'the key is not one you gave')
  if (!(await verifySignature(options, key, agentReceiptBytes(value), signature)))
    tally.add('signature_invalid', number, 'the signature does not fit the receipt')
}
