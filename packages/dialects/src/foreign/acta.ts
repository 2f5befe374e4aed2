/**
 * ACTA receipts: a payload, and an Ed25519 signature over its RFC 8785 form; each names the hash of the envelope before.
 *
 * `kid` is made from the key: `sb:issuer:` and the first twelve characters of it in base58.
 * Source: draft-farley-acta-signed-receipts-03 (spec interop §3.4).
 * @module
 */
import { asText, toHex } from '@sworn/verify'
import { own, part } from '../codecs/values.ts'
import { jcs } from '../jcs.ts'
import { form } from './chains.ts'
import { findKey, isPinned, toBase58, verifySignature } from './keys.ts'
import { type ForeignRecord, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'
import { hexBytes } from './sahu.ts'

/** The name of a key: `sb:issuer:` and twelve characters. */
export function actaKid(publicKey: Uint8Array): string {
  return `sb:issuer:${toBase58(publicKey).slice(0, 12)}`
}

export async function checkActa(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  let before: ForeignRecord | undefined
  for (const record of records) {
    checkLink(record, before, options, tally)
    await checkSignature(record, options, tally)
    before = record
  }
  const known = {
    bytes: form(records),
    chain: { shown: true, detail: 'every receipt links the envelope before, signature included' },
    signed: { shown: isPinned(options), detail: isPinned(options) ? 'by the key you gave' : 'no key was given: --key' },
  }
  return toReport('acta', records.count, tally, known, [
    'Receipts removed at the end leave no trace.',
    'A first receipt that names one before it may have lost its beginning.',
    'There is no number in a receipt: only the links tell the order.',
  ])
}

function checkLink(
  { number, value }: ForeignRecord,
  before: ForeignRecord | undefined,
  { primitives }: ForeignOptions,
  tally: Tally,
): void {
  const link = own(part(value, 'payload'), 'previousReceiptHash') ?? undefined
  if (!before) {
    if (link !== undefined)
      tally.add('link_mismatch', number, 'a first receipt without previousReceiptHash was expected: the beginning is not here')
    return
  }
  if (link !== toHex(primitives.hash('sha256', jcs(before.value))))
    tally.add('link_mismatch', number, 'previousReceiptHash is not the hash of the envelope before')
}

async function checkSignature({ number, value }: ForeignRecord, options: ForeignOptions, tally: Tally): Promise<void> {
  const payload = part(value, 'payload')
  const { alg, kid, sig } = part(value, 'signature')
  if (alg !== 'EdDSA' || Object.keys(payload).length === 0)
    return tally.add('malformed', number, 'a payload and an EdDSA signature were expected')
  if (payload.issuer_id !== undefined && payload.issuer_id !== kid) tally.add('incoherent', number, 'issuer_id is the kid of the signature')
  if (!isPinned(options)) return
  const key =
    (options.keys ?? []).find(({ algorithm, publicKey }) => algorithm === 'Ed25519' && actaKid(publicKey) === kid) ??
    findKey(options, asText(kid), 'Ed25519')
  if (!key || (actaKid(key.publicKey) !== kid && key.id !== kid))
    return tally.add('key_unknown', number, 'kid is not the name of a key you gave')
  if (!(await verifySignature(options, key, jcs(payload), hexBytes(sig, 64))))
    tally.add('signature_invalid', number, 'the signature does not fit the payload')
}
