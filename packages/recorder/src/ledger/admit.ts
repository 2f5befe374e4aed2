/**
 * Events at the appender: checked, compared with what was seen, numbered, linked.
 *
 * Same id and same body: the first answer again. Same id, other body: refused, and recorded as a
 * security_alert, because otherwise sending an id first would suppress the real event.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Submission } from '../port/types.ts'
import { asciiOf, checkBody, comparableBody, counterMembers, isMarked, unspliceCounters, withSessionCount } from './body.ts'
import { type Linked, link, write } from './commit.ts'
import type { Core } from './core.ts'
import { eventKey } from './dedupe.ts'
import { recordAt } from './replay.ts'
import { listSegments } from './segments.ts'
import { countSpent } from './spent.ts'

/** A submission and the producer it came from; together with `eventId` the dedupe key. */
export type Item = Submission & {
  readonly producerId: string
  /** True for bodies of other processes: parsed and checked whole. */
  readonly untrusted?: boolean
}

/** Above it there is room for what the ledger says itself. */
const MAX_SIZE = Number.MAX_SAFE_INTEGER - (1 << 20)

/** The ledger's own producer id, for the events it adds itself. */
export const OWN_PRODUCER = 'sworn.ledger'

export interface Admitted extends Linked {
  /** True when the event was already in the log. */
  readonly known: boolean
}

/** Links one event. Returns a SwornError (APPEND_REFUSED, EVENT_ID_CONFLICT) when nothing is to be written for it. */
export function admit(core: Core, item: Item): Admitted | SwornError {
  try {
    const text = asciiOf(item)
    const marked = isMarked(text)
    checkBody(item, text, { marked, thorough: item.untrusted ?? false })
    if (item.eventType.startsWith('log.')) throw new SwornError('APPEND_REFUSED', 'this event_type belongs to the ledger', '/event_type')
    if (core.size >= MAX_SIZE) throw new SwornError('APPEND_REFUSED', 'the ledger is full: a seq has 53 bits')
    const key = eventKey(item.producerId, item.eventId)
    const seen = core.dedupe.find(key)
    if (!seen) return (marked && countSpent(core, item, text)) || { ...linkEvent(core, item, key), known: false }
    return isSame(core, item, seen.seq) ? { ...seen, known: true } : conflict(core, item, seen.seq)
  } catch (e) {
    if (SwornError.is(e, 'APPEND_REFUSED')) return e
    throw e // the disk's: the core is spent
  }
}

/** Compares with the record itself. What was pruned since cannot contradict. */
function isSame(core: Core, item: Item, seq: number): boolean {
  write(core)
  core.offsets.flush()
  const line = recordAt(core.env, listSegments(core.env), seq)
  const received = line && unspliceCounters(Buffer.from(line.body).toString('utf8'))
  return received === undefined || comparableBody(received.json, item.eventType) === comparableBody(item.json, item.eventType)
}

function linkEvent(core: Core, item: Item, key: string): Linked {
  const { sessionId, producerId } = item
  const ends = item.eventType === 'session_end'
  const sessionSeq = sessionId === undefined ? undefined : core.sessions.next(sessionId)
  const counters = { producerId, producerSeq: core.sessions.nextOfProducer(producerId), sessionId, sessionSeq, ends, at: core.env.now() }
  const payload = ends && sessionSeq !== undefined ? withSessionCount(item.json, sessionSeq + 1) : (item.utf8 ?? item.json)
  if (item.vault) core.batch.rows.push(...item.vault)
  const linked = link(core, payload, counterMembers(counters), item.eventType)
  core.sessions.note(counters)
  core.dedupe.note(key, linked)
  return linked
}

function conflict(core: Core, item: Item, seq: number): SwornError {
  addOwnEvent(core, 'security_alert', {
    severity: 'error',
    metadata: { rule: 'event_id_conflict', evidence: [seq], producer_id: item.producerId },
  })
  return new SwornError('EVENT_ID_CONFLICT', 'the event_id was used before with another content', `seq=${seq}`)
}

/** Closes a session that had no record for a day. */
export function endIdleSession(core: Core, sessionId: string): void {
  addOwnEvent(core, 'session_end', { severity: 'info', session_id: sessionId, metadata: { reason: 'idle' } }, sessionId)
}

/** An ordinary event that the ledger reports itself. */
function addOwnEvent(core: Core, eventType: string, members: Record<string, unknown>, sessionId?: string): void {
  const at = core.env.now()
  const eventId = uuidv7(at, core.env.random(10))
  const json = JSON.stringify({ timestamp: new Date(at).toISOString(), event_type: eventType, event_id: eventId, ...members })
  const item = {
    json,
    eventId,
    eventType,
    level: 'batch' as const,
    producerId: OWN_PRODUCER,
    ...(sessionId !== undefined && { sessionId }),
  }
  linkEvent(core, item, eventKey(OWN_PRODUCER, eventId))
}

/** RFC 9562 §5.7: 48 bits of milliseconds, version, variant, 74 random bits (80 are given). */
function uuidv7(atMs: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(atMs, 0, 6)
  bytes.set(random, 6)
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
