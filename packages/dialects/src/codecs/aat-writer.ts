/**
 * Writes Agent Audit Trail records: one chain for each agent session, ES256 signatures when a key is given.
 *
 * What follows a `session_end` under the same name is a session of its own, `<name>/2`.
 * A session that does not begin with `session_start` gets a genesis record of its own; only a `session_end` closes
 * one, so a session that is cut stays open. Source: draft-sharif-agent-audit-trail-06 (spec interop §3.1).
 * @module
 */
import { asText, concat, type JsonObject, type JsonValue, toHex, utf8 } from '@sworn/verify'
import { besideOf, type Dialect, type DialectOptions, type DialectSigner, lineDialect, REST, type Writer } from '../dialect.ts'
import { jcs } from '../jcs.ts'
import { type Codec, toNative } from '../lens.ts'
import type { Event } from '../members.ts'
import { formatNative } from '../native.ts'
import { createAatCodec, toUuid4 } from './aat.ts'
import { part, toEpoch } from './values.ts'

/** What the next record's `prev_hash` is the SHA-256 of. */
export function aatLinkedBytes({ batch: _, ...record }: JsonObject): Uint8Array {
  return jcs(record)
}

/** What the signature is over. */
export function aatSignedBytes({ batch: _, signature: __, signature_classical: ___, ...record }: JsonObject): Uint8Array {
  return jcs(record)
}

/** base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const characters = [18, 12, 6, 0].map((shift) => alphabet[(bits >> shift) & 63]!)
    out += characters.slice(0, Math.min(4, bytes.length - i + 1)).join('')
  }
  return out
}

interface Session {
  readonly startMs: number
  readonly links: Uint8Array[]
  previous: JsonObject
}

type Hash = (bytes: Uint8Array) => Uint8Array

function openAatWriter(codec: Codec, hash: Hash, signer: DialectSigner | undefined): Writer {
  const sessions = new Map<JsonValue, Session>()
  const ended = new Map<JsonValue, number>()
  return {
    head: [],
    async write(entry) {
      const encoded = toNative(codec, entry)
      const { digits, imported } = encoded
      if (imported) return { lines: [formatNative(encoded.value, digits)] }
      const id = encoded.value.session_id!
      const value = { ...encoded.value, session_id: nameOf(id, ended.get(id)) }
      const known = sessions.get(id)
      const genesis = known || entry.event_type === 'session_start' ? [] : [await sign(toGenesis(value, hash), signer, hash)]
      const session = known ?? { startMs: toEpoch(entry.timestamp) ?? 0, links: [], previous: genesis[0] ?? {} }
      const isFirst = session.previous.record_id === undefined
      const record = await sign(isFirst ? toFirst(value) : linkTo(session, value, entry, hash), signer, hash)
      session.previous = record
      sessions.set(id, session)
      if (entry.event_type === 'session_end') {
        sessions.delete(id)
        ended.set(id, (ended.get(id) ?? 0) + 1)
      }
      return { lines: [...genesis, record].map((r) => formatNative(r, digits)), beside: besideOf(codec, record, encoded) }
    },
  }
}

/** What comes after a session's end is another session to AAT. */
function nameOf(id: JsonValue, ended: number | undefined): JsonValue {
  return ended === undefined ? id : `${asText(id)}/${ended + 1}`
}

function toFirst(record: JsonObject): JsonObject {
  return { ...record, action_detail: { ...part(record, 'action_detail'), recording_mode: 'self' }, record_phase: 'concurrent' }
}

function toGenesis(record: JsonObject, hash: Hash): JsonObject {
  const record_id = toUuid4(toHex(hash(utf8(`genesis ${asText(record.record_id)}`))))
  const action = { action_type: 'lifecycle', action_detail: { event: 'session_start' }, outcome: 'success' }
  return toFirst({ ...record, ...action, record_id })
}

function linkTo(session: Session, record: JsonObject, entry: Event, hash: Hash): JsonObject {
  const link = hash(aatLinkedBytes(session.previous))
  session.links.push(link)
  const linked = { ...record, parent_record_id: session.previous.record_id ?? null, prev_hash: toHex(link) }
  if (entry.event_type !== 'session_end') return linked
  const close = {
    session_hash: toHex(hash(concat(...session.links))),
    record_count: session.links.length + 1,
    duration_ms: Math.max(0, (toEpoch(entry.timestamp) ?? 0) - session.startMs),
  }
  return { ...linked, action_detail: { ...part(record, 'action_detail'), ...close } }
}

async function sign(record: JsonObject, signer: DialectSigner | undefined, hash: Hash): Promise<JsonObject> {
  if (signer?.algorithm !== 'ES256') return record
  const named = { ...record, sig_alg: 'ES256', signer_kid: thumbprint(signer.publicKey, hash) }
  return { ...named, signature: toBase64Url(await signer.sign(aatSignedBytes(named))) }
}

/** RFC 7638 thumbprint of a P-256 key given as x and y. */
export function thumbprint(publicKey: Uint8Array, hash: Hash): string {
  const [x, y] = [publicKey.subarray(0, 32), publicKey.subarray(32)].map(toBase64Url)
  return toBase64Url(hash(utf8(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)))
}

const DESCRIPTOR = {
  name: 'aat',
  title: 'Agent Audit Trail',
  source: 'draft-sharif-agent-audit-trail-06 as far as it is public: abstract, reference code, and -04 for §4 to §7',
  mediaType: 'application/jsonl',
  extension: 'jsonl',
  names: 'timestamp event_type decision tool agent_id session_id agent.version correlation_id reason is_error error'.split(' '),
  rest: REST.sidecar,
  sidecar: true as const,
  loss: [
    'Arguments and results are hashes of what was recorded; the content is in the sidecar only.',
    '`trust_level` is always L0: its meaning is not public.',
    'Sessions are chained one by one; events without a session share the session `none`.',
  ],
}

function codecOf({ primitives }: Pick<DialectOptions, 'primitives'>): Codec {
  return createAatCodec((bytes) => primitives.hash('sha256', bytes))
}

export const aat: Dialect = {
  ...DESCRIPTOR,
  openWriter: (options) => openAatWriter(codecOf(options), (bytes) => options.primitives.hash('sha256', bytes), options.signer),
  openReader: (options) => lineDialect(DESCRIPTOR, codecOf(options)).openReader!(options),
}
