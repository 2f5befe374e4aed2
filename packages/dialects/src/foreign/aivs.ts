/**
 * AIVS bundles: rows hashed one by one, one hash over all row hashes, one signature over that.
 *
 * The hash of a row leaves out inputs, outputs and errors. The bundle's own program is never run, and the hash over the
 * rows is computed here and compared with manifest and signature file: the format's own procedure does not.
 * Source: draft-stone-aivs-00, AIVS v1.0 §3 and §6.
 * @module
 */
import { asText, isJsonObject, type JsonObject, type JsonValue, parseHex, parseStrict, text, toHex, utf8 } from '@sworn/verify'
import { LosslessNumber } from 'lossless-json'
import { withDigits } from '../native.ts'
import { pythonNumber } from '../python-json.ts'
import { form } from './chains.ts'
import { isPinned, verifySignature } from './keys.ts'
import { fromBase64 } from './pem.ts'
import { type ForeignRecord, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'

/** The files of a bundle, by their name inside `session_proof/`. */
export interface AivsBundle {
  readonly 'audit_log.jsonl': Uint8Array
  readonly 'manifest.json'?: Uint8Array | undefined
  readonly 'session_sig.txt'?: Uint8Array | undefined
  readonly 'public_key.pem'?: Uint8Array | undefined
}

export async function checkAivs(bundle: AivsBundle, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bundle['audit_log.jsonl'], tally)
  const hash = (s: string) => toHex(options.primitives.hash('sha256', utf8(s)))
  const hashes: string[] = []
  const sessions = new Set<JsonValue>()
  let previous = ''
  for (const { number, value, digits } of records) {
    if (value.prev_hash !== previous) tally.add('link_mismatch', number, 'prev_hash is not the hash of the row before')
    if (value.row_hash !== hash(rowText(value, digits))) tally.add('hash_mismatch', number, 'the row does not match its row_hash')
    previous = asText(value.row_hash)
    hashes.push(previous)
    sessions.add(value.session_id ?? null)
  }
  const chainHash = hash(hashes.join('') || 'empty')
  const isListed = checkManifest(bundle['manifest.json'], { count: records.count, sessions, chainHash }, tally)
  const signed = await checkSessionSignature(bundle, chainHash, options, tally)
  const known = {
    bytes: form(records),
    chain: { shown: true, detail: 'seven members of each row, in this order; inputs, outputs and errors are not covered' },
    signed,
    complete: { shown: isListed, detail: isListed ? 'the rows are those that the manifest counts' : 'there is no manifest' },
  }
  return toReport('aivs', records.count, tally, known, [
    'Inputs, outputs and errors are not hashed: they can be changed unseen.',
    'Rows removed at the end show only against manifest or signature; without a key anybody can make both anew.',
    'The key lies in the bundle: without one that you know, anybody can have written this.',
  ])
}

function rowText(row: JsonObject, digits: ForeignRecord['digits']): string {
  const members = withDigits(row, digits) as Record<string, unknown> // an object stays one
  const names = ['id', 'session_id', 'action_type', 'tool_name', 'cost_cents', 'timestamp', 'prev_hash']
  return names.map((name) => pythonText(members[name])).join(':')
}

/** `str` of what Python read from JSON. */
function pythonText(value: unknown): string {
  if (value instanceof LosslessNumber) return value.value
  if (typeof value === 'number') return pythonNumber(value)
  return value === null || value === undefined ? 'None' : asText(value)
}

interface Rows {
  readonly count: number
  readonly sessions: ReadonlySet<JsonValue>
  readonly chainHash: string
}

function checkManifest(bytes: Uint8Array | undefined, { count, sessions, chainHash }: Rows, tally: Tally): boolean {
  const manifest = bytes && parseObject(bytes)
  if (!bytes) return false
  if (!manifest) tally.add('malformed', undefined, 'manifest.json: a JSON object was expected')
  else if (manifest.chain_hash !== chainHash || manifest.action_count !== count)
    tally.add('head_mismatch', undefined, 'manifest.json does not fit the rows')
  else if ([...sessions].some((session) => session !== manifest.session_id)) tally.add('splice', undefined, 'rows of another session')
  return manifest !== undefined
}

async function checkSessionSignature(bundle: AivsBundle, chainHash: string, options: ForeignOptions, tally: Tally) {
  const source = bundle['session_sig.txt'] && textOf(bundle['session_sig.txt'])?.trim()
  const signature = fromBase64(source)
  if (!signature) {
    if (isPinned(options)) tally.add('signature_missing', undefined, 'the bundle is not signed')
    return { shown: false, detail: 'the bundle is not signed' }
  }
  const pinned = options.keys?.find((key) => key.algorithm === 'Ed25519')
  const carried = /\b[0-9a-f]{64}\b/.exec((bundle['public_key.pem'] && textOf(bundle['public_key.pem'])) ?? '')?.[0]
  const publicKey = pinned?.publicKey ?? (carried ? parseHex(carried) : undefined)
  const fits = publicKey && (await verifySignature(options, { algorithm: 'Ed25519', publicKey }, utf8(chainHash), signature))
  if (!fits) tally.add('signature_invalid', undefined, 'the signature does not fit the rows')
  return {
    shown: pinned !== undefined,
    detail: pinned ? 'by the key you gave' : 'by the key in the bundle, which nobody vouches for: give yours with --key',
  }
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value = parseStrict(bytes)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined // the finding says so
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return text(bytes)
  } catch {
    return undefined // not text, so no signature and no key
  }
}
