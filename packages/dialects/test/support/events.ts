/** Arbitrary events of every type, made from the member table; and the options that writers take in tests. @module */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { DialectOptions, DialectSigner, Event } from '@sworn/dialects'
import { type JsonValue, toHex } from '@sworn/verify'
import { EVENT_MEMBERS, EVENT_TYPES } from '@sworn/verify/events'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'

type Kind = (typeof EVENT_MEMBERS)[string]

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('alice', 'a=b|c', '=1+1', 'café', '\ud83d\ude00', 'a\nb\t"'),
)
/** JSON as our ledger holds it: no `-0`, which JSON text does not tell from 0. */
export const json: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'binary' })
  .map((value): JsonValue => JSON.parse(JSON.stringify(value)))
const filled = json.filter((value) => value !== null)

function ofKind(kind: Kind): fc.Arbitrary<JsonValue> {
  if (typeof kind !== 'string') {
    if (Array.isArray(kind)) return fc.constantFrom<JsonValue>(...(kind as readonly string[]))
    const members = Object.entries(kind as Record<string, Kind>).map(([name, member]) => [name, ofKind(member)])
    return fc.record<Record<string, JsonValue>>(Object.fromEntries(members), { requiredKeys: [] })
  }
  switch (kind) {
    case 'uuid7':
      return fc.uuid({ version: 7 })
    case 'time':
      return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((d) => d.toISOString())
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n))
    case 'count':
      return fc.nat()
    case 'integer':
      return fc.integer()
    case 'flag':
      return fc.boolean()
    case 'json':
      return filled
    case 'rpc_id':
      return fc.oneof(text, fc.nat())
    case 'event_type':
      return fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...EVENT_TYPES) },
        { weight: 1, arbitrary: fc.constantFrom('my_event', 'DLP_TRIGGERED') },
      )
    default:
      return text
  }
}

const members: Record<string, fc.Arbitrary<JsonValue>> = Object.fromEntries(
  Object.entries(EVENT_MEMBERS).map(([name, kind]) => [name, ofKind(kind)]),
)

/** Any event: every member possible, members of the caller's own, nested JSON. */
export const event: fc.Arbitrary<Event> = fc
  .tuple(
    fc.record(members, { requiredKeys: ['event_type'] }),
    fc.dictionary(fc.constantFrom('team', 'sworn', '__proto__', 'ext'), filled, { maxKeys: 2, noNullPrototype: true }),
  )
  .map(([known, own]): Event => JSON.parse(JSON.stringify({ ...known, ...own })))

/** Types whose members some dialect places differently. */
export const TELLING_TYPES = [
  'authorization_decision',
  'approval_requested',
  'tool_call_end',
  'tool_call_error',
  'dlp_match',
  'model_request',
  'identity_token_issued',
  'auth_failure',
]

/** Values that a member of a kind may hold: each word, or one that tells itself apart, as an object and as text where both go. */
export function samplesOf(name: string, kind: Kind): readonly JsonValue[] {
  if (Array.isArray(kind)) return kind
  return kind === 'json' ? [sampleOf(name, kind), 'text'] : [sampleOf(name, kind)]
}

/** One value of each kind, telling itself apart by `name`. */
function sampleOf(name: string, kind: Kind): JsonValue {
  if (typeof kind !== 'string') return {}
  const n = 1000 + Object.keys(EVENT_MEMBERS).indexOf(name.split('.')[0]!)
  const samples: Readonly<Record<string, JsonValue>> = {
    uuid7: '019a0000-0000-7000-8000-000000000abc',
    time: '2026-03-03T16:32:00.000Z',
    number: n + 0.5,
    count: n,
    integer: n,
    flag: true,
    json: { [`key of ${name}`]: 1 },
    event_type: 'tool_call_end',
  }
  return samples[kind] ?? `text of ${name}`
}

const P256 = createPrivateKey({
  key: {
    kty: 'EC',
    crv: 'P-256',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  },
  format: 'jwk',
})
const ED25519 = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]),
  format: 'der',
  type: 'pkcs8',
})

export const ed25519Signer: DialectSigner = {
  algorithm: 'Ed25519',
  publicKey: createPublicKey(ED25519).export({ format: 'der', type: 'spki' }).subarray(-32),
  sign: (message) => sign(null, message, ED25519),
}
export const es256Signer: DialectSigner = {
  algorithm: 'ES256',
  publicKey: createPublicKey(P256).export({ format: 'der', type: 'spki' }).subarray(-64),
  sign: (message) => lowS(sign('sha256', message, { key: P256, dsaEncoding: 'ieee-p1363' })),
}

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function lowS(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${toHex(signature.subarray(32))}`)
  const low = s > ORDER / 2n ? ORDER - s : s
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(low.toString(16).padStart(64, '0'), 'hex')])
}

/** What a writer gets in tests; `aat` signs with P-256, the others with Ed25519. */
export function optionsFor(dialect: string): DialectOptions {
  return {
    primitives: nodePrimitives,
    version: '0.1.0',
    origin: 'example.com/log',
    signer: dialect === 'aat' ? es256Signer : ed25519Signer,
  }
}
