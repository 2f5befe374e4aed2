/**
 * Agent action receipts: signatures, links over the raw lines, numbers, repeats, and a head that came another way.
 *
 * The key travels in the record. Without a pinned key the signatures say only that each record fits its own key.
 * Source: draft-sahu-agent-action-receipts-01; vectors of governex/agent-action-receipts-vectors.
 * @module
 */
import { type JsonObject, parseHex, parseStrict, toHex, utf8 } from '@sworn/verify'
import { sahuSignedBytes } from '../codecs/sahu-writer.ts'
import { own } from '../codecs/values.ts'
import { form } from './chains.ts'
import { isPinned, verifySignature } from './keys.ts'
import { type ForeignRecord, type Reading, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'

export async function checkSahu(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  const hash = (octets: Uint8Array) => toHex(options.primitives.hash('sha256', octets))
  const ids = new Set<unknown>()
  let before: ForeignRecord | undefined
  for (const record of records) {
    const { number, value } = record
    await checkSignature(record, options, tally)
    const expected = before && hash(before.octets)
    if (own(value, 'prev_hash') !== expected) tally.add('link_mismatch', number, linkMessage(before, own(value, 'prev_hash')))
    if (ids.has(value.step_id)) tally.add('id_repeat', number, 'a step_id that occurred before')
    ids.add(value.step_id)
    checkNumber(record, before, tally)
    before = record
  }
  const isComplete = options.head !== undefined && (await checkHead(options.head, records, hash, options, tally))
  return toReport('sahu', records.count, tally, knownOf(records, options, isComplete), [
    'What members other than the eight signed ones say is chained but not signed.',
    'Receipts removed at the end show only against a head assertion that came another way.',
    'The public key travels in the record: without a key that you know, anybody can have written this.',
  ])
}

function knownOf(records: Reading, options: ForeignOptions, isComplete: boolean) {
  const signed = isPinned(options) ? 'by the key you gave' : 'each by the key in it, which nobody vouches for: give yours with --key'
  return {
    bytes: form(records),
    chain: { shown: true, detail: 'every line links the octets of the line before' },
    signed: { shown: isPinned(options), detail: signed },
    complete: { shown: isComplete, detail: isComplete ? 'the head assertion fits' : 'no head assertion was given: --head' },
  }
}

function linkMessage(before: ForeignRecord | undefined, link: unknown): string {
  if (!before) return 'the first receipt has no prev_hash'
  return link === undefined ? 'a prev_hash was expected' : 'prev_hash is not the hash of the line before'
}

/** Numbers are there in all receipts of a chain or in none. */
function checkNumber({ number, value }: ForeignRecord, before: ForeignRecord | undefined, tally: Tally): void {
  const [seq, last] = [own(value, 'seq'), before ? own(before.value, 'seq') : -1]
  if (seq === undefined && (!before || last === undefined)) return
  if (typeof seq !== 'number' || typeof last !== 'number') tally.add('malformed', number, 'seq in every receipt or in none was expected')
  else if (seq <= last) tally.add('seq_repeat', number, 'a seq that was given before')
  else if (seq > last + 1) tally.add('seq_gap', number, `seq ${last + 1} was expected`)
}

async function checkSignature({ number, value, digits }: ForeignRecord, options: ForeignOptions, tally: Tally): Promise<void> {
  const [publicKey, signature] = [hexBytes(value.public_key, 32), hexBytes(value.signature, 64)]
  if (!publicKey || !signature) return tally.add('signature_invalid', number, 'a key and a signature in lower-case hex were expected')
  const isKnown = options.keys?.some((key) => key.algorithm === 'Ed25519' && toHex(key.publicKey) === value.public_key)
  if (isPinned(options) && !isKnown) tally.add('key_unknown', number, 'the key in the receipt is not one you gave')
  let message: Uint8Array
  try {
    message = sahuSignedBytes(value, digits)
  } catch {
    return tally.add('signature_invalid', number, 'whole numbers were expected in what is signed')
  }
  if (!(await verifySignature(options, { algorithm: 'Ed25519', publicKey }, message, signature)))
    tally.add('signature_invalid', number, 'the signature does not fit the receipt')
}

const HEAD_MEMBERS = ['chain_id', 'count', 'head_hash', 'asserted_ts_ms']

async function checkHead(
  head: string,
  records: Reading,
  hash: (octets: Uint8Array) => string,
  options: ForeignOptions,
  tally: Tally,
): Promise<boolean> {
  const asserted = parseHead(head)
  const publicKey = hexBytes(asserted?.public_key, 32)
  const signed = asserted && `{${HEAD_MEMBERS.map((name) => `"${name}":${JSON.stringify(asserted[name])}`).join(',')}}`
  const message = utf8(`agent-receipt-head-v1:${signed}`)
  const isOurs = !isPinned(options) || options.keys!.some((key) => toHex(key.publicKey) === asserted?.public_key)
  const signature = hexBytes(asserted?.signature, 64)
  if (!publicKey || !isOurs || !(await verifySignature(options, { algorithm: 'Ed25519', publicKey }, message, signature))) {
    tally.add('head_invalid', undefined, 'the head assertion is not signed by a key that counts')
    return false
  }
  const { first, last } = records
  const fits =
    asserted!.count === records.count &&
    first &&
    last &&
    asserted!.chain_id === hash(first.octets) &&
    asserted!.head_hash === hash(last.octets)
  if (!fits) tally.add('head_mismatch', undefined, 'the log is not the one that the head assertion names')
  return fits === true
}

function parseHead(head: string): JsonObject | undefined {
  try {
    const value = parseStrict(head)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined // not a head assertion: the finding says so
  }
}

/** Exactly `length` bytes of lower-case hex. */
export function hexBytes(hex: unknown, length: number): Uint8Array | undefined {
  return typeof hex === 'string' && hex.length === 2 * length && /^[0-9a-f]*$/.test(hex) ? parseHex(hex) : undefined
}
