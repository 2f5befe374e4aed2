/**
 * An entry of Aegis's cryptographic chain: what was attempted, on what, and which rule decided.
 *
 * An entry is always a decision; for an event that is none, `decision` is empty. `metadata` is free. The sequence and
 * the hashes are the chain's. Source: Aegis audit trail page, "SHA-256 tamper-evident chain"; `core/crypto_audit.py`.
 * @module
 */
import { asText, type JsonObject, toHex, utf8 } from '@sworn/verify'
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import type { Digits } from '../native.ts'
import { pythonJson } from '../python-json.ts'
import { inverse, type Names, own, part, section, toPythonTime, toTimestamp, word } from './values.ts'

export const DECISIONS: Names = { allow: 'auto', ask: 'approve', deny: 'block' }

export const AEGIS_GENESIS = '0'.repeat(64)
const HASHED = [
  'sequence_id',
  'timestamp',
  'agent_id',
  'action_type',
  'action_target',
  'decision',
  'risk_level',
  'matched_rule',
  'metadata',
  'previous_hash',
]

/** The bytes whose hash is `entry_hash`: ten members, sorted and compact, and the previous hash once more. */
export function aegisHashInput(record: JsonObject, digits: Digits): Uint8Array {
  const members = HASHED.map((name) => [name, own(record, name) ?? null])
  return utf8(pythonJson(Object.fromEntries(members), { sort: true, compact: true, digits }) + asText(record.previous_hash))
}

const filled = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

export const aegisCodec: Codec = {
  name: 'aegis',
  slot: 'metadata',
  encode(event) {
    return {
      sequence_id: 0,
      timestamp: toPythonTime(event.timestamp),
      agent_id: event.agent_id ?? '',
      action_type: event.tool ?? event.event_type,
      action_target: event.target ?? '',
      decision: word(DECISIONS, event.decision ?? ''),
      risk_level: event.risk_level ?? '',
      matched_rule: event.matched_rule ?? '',
      metadata: part(event, 'metadata'),
    }
  },
  decode(record) {
    const decision = word(inverse(DECISIONS), filled(own(record, 'decision')))
    return {
      event_type: decision === undefined ? undefined : decision === 'ask' ? 'approval_requested' : 'authorization_decision',
      timestamp: toTimestamp(record.timestamp),
      agent_id: filled(own(record, 'agent_id')),
      tool: filled(own(record, 'action_type')),
      target: filled(own(record, 'action_target')),
      decision,
      risk_level: filled(own(record, 'risk_level')),
      matched_rule: filled(own(record, 'matched_rule')),
      metadata: section(part(record, 'metadata')),
    }
  },
}

export const aegis = lineDialect(
  {
    name: 'aegis',
    title: 'Aegis cryptographic chain',
    source: 'Aegis audit trail page; core/crypto_audit.py',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names: 'timestamp event_type decision tool target agent_id matched_rule risk_level metadata'.split(' '),
    rest: REST.metadata,
    loss: [
      'Every entry is a decision to Aegis; for other events `decision` is empty.',
      'The chain is unkeyed: it proves order, not authorship.',
    ],
  },
  aegisCodec,
  ({ primitives }) => {
    let previous = AEGIS_GENESIS
    let next = 0
    return ({ value, digits, imported }) => {
      const linked = imported ? value : { ...value, sequence_id: next, previous_hash: previous }
      const record = imported ? value : { ...linked, entry_hash: toHex(primitives.hash('sha256', aegisHashInput(linked, digits))) }
      if (typeof record.entry_hash === 'string') previous = record.entry_hash
      if (typeof record.sequence_id === 'number') next = record.sequence_id + 1
      return record
    }
  },
)
