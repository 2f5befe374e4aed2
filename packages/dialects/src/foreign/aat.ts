/**
 * Agent Audit Trail: the chain of each session, ES256 signatures, the words and phases that the draft fixes, closing
 * hashes and detached inclusion proofs.
 *
 * Source: draft-sharif-agent-audit-trail-06 as far as it is public; rules marked (04) in spec interop §3.1 from -04.
 * @module
 */
import { asText, concat, equalBytes, isJsonObject, type JsonObject, type JsonValue, toHex } from '@sworn/verify'
import { aatLinkedBytes, aatSignedBytes, thumbprint } from '../codecs/aat-writer.ts'
import { own, part } from '../codecs/values.ts'
import { jcs } from '../jcs.ts'
import { form } from './chains.ts'
import { findKey, fromBase64Url, isPinned, verifySignature } from './keys.ts'
import { type ForeignRecord, type Reading, readRecords } from './records.ts'
import { createTally, type ForeignOptions, type ForeignReport, type Tally, toReport } from './report.ts'
import { hexBytes } from './sahu.ts'

const MANDATORY =
  'record_id timestamp agent_id agent_version session_id action_type action_detail outcome trust_level parent_record_id prev_hash record_phase'.split(
    ' ',
  )
const WORDS: Readonly<Record<string, readonly string[]>> = {
  action_type: ['tool_call', 'tool_response', 'decision', 'delegation', 'escalation', 'error', 'lifecycle'],
  outcome: ['success', 'failure', 'timeout', 'denied', 'escalated'],
  trust_level: ['L0', 'L1', 'L2', 'L3', 'L4'],
  record_phase: ['pre_execution', 'post_execution', 'concurrent'],
}
const MAX_RECORD_BYTES = 262_144

interface Session {
  previous: ForeignRecord | undefined
  readonly links: Uint8Array[]
  closed: boolean
}

export async function checkAat(bytes: Uint8Array, options: ForeignOptions): Promise<ForeignReport> {
  const tally = createTally()
  const records = readRecords(bytes, tally)
  const sessions = new Map<JsonValue, Session>()
  let unsigned = 0
  let proven = false
  for (const record of records) {
    const id = record.value.session_id ?? null
    const session = sessions.get(id) ?? { previous: undefined, links: [], closed: false }
    sessions.set(id, session)
    checkForm(record, tally)
    checkLink(record, session, options, tally)
    proven = checkBatch(record, options, tally) || proven
    if (own(record.value, 'signature') === undefined) unsigned += 1
    else await checkSignature(record, options, tally)
    session.previous = record
  }
  if (isPinned(options) && unsigned > 0) tally.add('signature_missing', undefined, `${unsigned} records have no signature`)
  const open = [...sessions.values()].filter((session) => !session.closed).length
  return toReport('aat', records.count, tally, knownOf(records, options, open, proven), [
    'A session without its session_end may have been cut at the end.',
    'A tombstone keeps a signature that can no longer be checked.',
    'Arguments and results are hashes: what they were is not here.',
  ])
}

function knownOf(records: Reading, options: ForeignOptions, open: number, proven: boolean) {
  const complete = open === 0 ? 'every session is closed by its session_end' : `${open} sessions are not closed`
  return {
    bytes: form(records),
    chain: { shown: true, detail: 'every record links the one before of its session, signature included' },
    tree: {
      shown: proven,
      detail: 'inclusion proofs of the records that carry one',
    },
    signed: { shown: isPinned(options), detail: isPinned(options) ? 'by the key you gave' : 'no key was given: --key' },
    complete: { shown: open === 0, detail: complete },
  }
}

function checkForm({ number, value, octets }: ForeignRecord, tally: Tally): void {
  const missing = MANDATORY.find((name) => own(value, name) === undefined)
  if (missing) tally.add('malformed', number, `${missing} was expected`)
  for (const [name, words] of Object.entries(WORDS))
    if (!words.includes(asText(value[name]))) tally.add('malformed', number, `${name} is one of ${words.join(', ')}`)
  if (Object.keys(part(value, 'action_detail')).length === 0)
    tally.add('malformed', number, 'action_detail with at least one member was expected')
  if (octets.length > MAX_RECORD_BYTES) tally.add('malformed', number, `at most ${MAX_RECORD_BYTES} bytes were expected`)
  const { action_type, outcome, record_phase } = value
  const isRefusal =
    (action_type === 'decision' && (outcome === 'denied' || outcome === 'escalated')) ||
    (action_type === 'delegation' && outcome === 'denied')
  if (isRefusal && record_phase !== 'pre_execution') tally.add('incoherent', number, 'a refusal is pre_execution')
}

function checkLink({ number, value }: ForeignRecord, session: Session, { primitives }: ForeignOptions, tally: Tally): void {
  const { previous } = session
  if (session.closed) tally.add('link_mismatch', number, 'the session was closed before')
  if (!previous) {
    if (value.prev_hash !== null || value.parent_record_id !== null)
      tally.add('link_mismatch', number, 'a genesis record with prev_hash and parent_record_id null was expected')
    if (value.action_type !== 'lifecycle' || own(part(value, 'action_detail'), 'event') !== 'session_start')
      tally.add('incoherent', number, 'a session begins with lifecycle/session_start')
    return
  }
  const link = previous.value.tombstone_hash ?? toHex(primitives.hash('sha256', aatLinkedBytes(previous.value)))
  if (value.prev_hash !== link) tally.add('link_mismatch', number, 'prev_hash is not the hash of the record before')
  session.links.push(hexBytes(value.prev_hash, 32) ?? new Uint8Array(32))
  if (value.action_type === 'lifecycle' && own(part(value, 'action_detail'), 'event') === 'session_end')
    checkClose(number, value, session, primitives, tally)
}

function checkClose(number: number, value: JsonObject, session: Session, primitives: ForeignOptions['primitives'], tally: Tally): void {
  session.closed = true
  const { session_hash, record_count } = part(value, 'action_detail')
  const hash = toHex(primitives.hash('sha256', concat(...session.links)))
  if (session_hash !== undefined && session_hash !== hash) tally.add('head_mismatch', number, 'session_hash is not the hash of the session')
  if (record_count !== undefined && record_count !== session.links.length + 1)
    tally.add('head_mismatch', number, `record_count ${session.links.length + 1} was expected`)
}

async function checkSignature({ number, value }: ForeignRecord, options: ForeignOptions, tally: Tally): Promise<void> {
  if (value.sig_alg !== undefined && value.sig_alg !== 'ES256')
    return tally.add('key_unknown', number, 'a signature that is not ES256 cannot be checked here')
  const kid = typeof value.signer_kid === 'string' ? value.signer_kid : undefined
  const key = findKey(options, kid, 'ES256')
  if (!key) {
    if (isPinned(options)) tally.add('key_unknown', number, 'the signer is not one you gave')
    return
  }
  const digest = (bytes: Uint8Array) => options.primitives.hash('sha256', bytes)
  if (kid !== undefined && kid !== thumbprint(key.publicKey, digest))
    return tally.add('key_unknown', number, 'signer_kid is not the thumbprint of the key you gave')
  const signature = fromBase64Url(value.signature)
  if (!(await verifySignature(options, key, aatSignedBytes(value), signature)))
    tally.add('signature_invalid', number, 'the signature does not fit the record')
}

/** A detached batch proof: leaf and nodes as RFC 6962 tells them apart, siblings with their side. False when there is none. */
function checkBatch({ number, value }: ForeignRecord, { primitives }: ForeignOptions, tally: Tally): boolean {
  const batch = part(value, 'batch')
  const { inclusion_proof, merkle_root } = batch
  if (!Array.isArray(inclusion_proof)) return false
  const { batch: _, ...record } = value
  const digest = (...parts: Uint8Array[]) => primitives.hash('sha256', concat(...parts))
  let node = digest(Uint8Array.of(0), jcs(record))
  for (const step of inclusion_proof.slice(0, 64)) {
    const sibling = isJsonObject(step) ? hexBytes(step.hash, 32) : undefined
    if (!sibling || !isJsonObject(step)) {
      tally.add('proof_invalid', number, 'siblings of 32 bytes were expected')
      return true
    }
    node = step.side === 'left' ? digest(Uint8Array.of(1), sibling, node) : digest(Uint8Array.of(1), node, sibling)
  }
  const root = hexBytes(merkle_root, 32)
  if (!root || !equalBytes(node, root)) tally.add('proof_invalid', number, 'the proof does not lead to merkle_root')
  return true
}
