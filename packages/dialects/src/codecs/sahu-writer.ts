/**
 * Writes agent action receipts: numbered, linked by the octets of the line before, signed with Ed25519.
 *
 * The public key travels in the record and proves nothing by itself: whoever checks must know it from elsewhere.
 * Source: draft-sahu-agent-action-receipts-01.
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue, SwornError, toHex, utf8 } from '@sworn/verify'
import { LosslessNumber } from 'lossless-json'
import { type Dialect, type DialectSigner, lineDialect, REST, type Writer } from '../dialect.ts'
import { toNative } from '../lens.ts'
import { type Digits, formatNative, withDigits } from '../native.ts'
import { compareCodePoints } from '../python-json.ts'
import { sahuCodec } from './sahu.ts'
import { own } from './values.ts'

const SIGNED = ['step_id', 'action_id', 'params', 'success', 'ts_ms', 'seq', 'actor', 'prev_hash']

/**
 * The bytes that a receipt's signature is over: eight members in fixed order, absent ones left out, parameters sorted
 * by code point.
 * @throws SwornError JSON_INVALID when a number is not whole
 */
export function sahuSignedBytes(record: JsonObject, digits: Digits): Uint8Array {
  const exact = withDigits(record, digits) as Readonly<Record<string, unknown>> // an object stays one
  const members = SIGNED.flatMap((name) => {
    const value = own(record, name)
    if (value === undefined) return []
    return [`"${name}":${name === 'actor' ? actorText(value) : sortedText(exact[name])}`]
  })
  return utf8(`{${members.join(',')}}`)
}

function actorText(actor: JsonValue): string {
  if (!isJsonObject(actor)) return JSON.stringify(actor)
  const members = ['agent', 'user'].flatMap((name) => (Object.hasOwn(actor, name) ? [`"${name}":${JSON.stringify(actor[name])}`] : []))
  return `{${members.join(',')}}`
}

function sortedText(value: unknown): string {
  if (typeof value === 'number' || value instanceof LosslessNumber) return wholeNumber(String(value))
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const names = Object.keys(value).sort(compareCodePoints)
  return `{${names.map((name) => `${JSON.stringify(name)}:${sortedText((value as Record<string, unknown>)[name])}`).join(',')}}` // its own keys
}

function wholeNumber(text: string): string {
  if (!/^-?\d+$/.test(text)) throw new SwornError('JSON_INVALID', 'a whole number was expected')
  return text
}

function openSahuWriter(signer: DialectSigner, hash: (bytes: Uint8Array) => string): Writer {
  let previous: string | undefined
  let seq = 0
  return {
    head: [],
    async write(entry) {
      const { value, digits, imported } = toNative(sahuCodec, entry)
      const line = formatNative(imported ? value : await sign(link(value, seq, previous), digits, signer), digits)
      previous = hash(utf8(line))
      seq += 1
      return { lines: [line] }
    },
  }
}

function link({ actor, sworn, ...receipt }: JsonObject, seq: number, previous: string | undefined): JsonObject {
  const linked = { ...receipt, seq, actor, prev_hash: previous, sworn }
  return Object.fromEntries(Object.entries(linked).filter(([, value]) => value !== undefined)) as JsonObject // undefined was dropped
}

async function sign(receipt: JsonObject, digits: Digits, { publicKey, sign }: DialectSigner): Promise<JsonObject> {
  const signature = await sign(sahuSignedBytes(receipt, digits))
  return { ...receipt, public_key: toHex(publicKey), signature: toHex(signature) }
}

export const sahu: Dialect = {
  ...lineDialect(
    {
      name: 'sahu',
      title: 'Agent action receipts',
      source: 'draft-sahu-agent-action-receipts-01',
      mediaType: 'application/jsonl',
      extension: 'jsonl',
      names: 'timestamp event_type tool user agent_id event_id arguments'.split(' '),
      rest: REST.slot,
      loss: [
        'Every receipt is an action that succeeded or not; decisions and requests are among the rest, which is chained but not signed.',
        'Parameters that are not whole numbers are text in `params`.',
      ],
    },
    sahuCodec,
  ),
  openWriter({ primitives, signer }) {
    if (signer?.algorithm !== 'Ed25519') throw new SwornError('KEY_INVALID', 'an Ed25519 key to sign the receipts was expected')
    return openSahuWriter(signer, (bytes) => toHex(primitives.hash('sha256', bytes)))
  },
}
