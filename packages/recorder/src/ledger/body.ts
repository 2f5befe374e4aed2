/**
 * Bodies at the appender: what is refused, what is spliced in, and how to take it out again.
 *
 * The appender alone writes `session_seq`, `producer_id`, `producer_seq` (last payload members, in this
 * order) and `metadata.count` of a `session_end`. A body that brings a reserved member is refused.
 * Source: docs/format.md, "Record line".
 * @module
 */
import { isJsonObject, type JsonObject, parseStrict, SwornError } from '@sworn/verify'

/** The hard limit of a line, bytes. */
export const MAX_LINE_BYTES = 1 << 20
/** What the suffix, the counters and a signature add at most. */
const OVERHEAD_BYTES = 1024

const RESERVED_MEMBERS = ['seq', 'previous_hash', 'entry_hash', 'signature', 'session_seq', 'producer_id', 'producer_seq']
/** Only a body in which one of these occurs can hold a reserved name: whole, or a letter of it as an escape. */
const SUSPECT = /"(?:se(?:q|ssion_seq)|pr(?:evious_hash|oducer_(?:id|seq))|entry_hash|signature)"|"log\.|\\u00[2-7]/
/** These, and what budgets are counted by. The one look at every event: common beginnings are shared. */
const MARKED = /"(?:s(?:e(?:q|ssion_seq)|ignature|pent)|pr(?:evious_hash|oducer_(?:id|seq))|entry_hash|returned)"|"log\.|\\u00[2-7]/
const SPLICED = /(?:,"session_seq":(\d+))?,"producer_id":("(?:[^"\\]|\\.)*"),"producer_seq":(\d+)$/

/** A payload as text, and as bytes where they are at hand. */
export interface Body {
  readonly json: string
  readonly utf8?: Buffer
}

export interface Counters {
  readonly sessionSeq?: number | undefined
  readonly producerId: string
  readonly producerSeq: number
}

/** The payload as text in which every ASCII character stands where it belongs, without decoding the others. */
export function asciiOf(body: Body): string {
  return body.utf8?.toString('latin1') ?? body.json // in UTF-8 no other character has a byte of an ASCII one; `json` may be decoded at each read
}

/** True when a name may stand in it that the appender reads: reserved, `spent` or `returned`. `text` is an `asciiOf`. */
export function isMarked(text: string): boolean {
  return MARKED.test(text)
}

/**
 * Checks a body as received; `text` is its `asciiOf`, `marked` what `isMarked` says of it. `thorough` parses it in any case: for bodies of
 * other processes.
 *
 * @throws SwornError APPEND_REFUSED naming the member or the form that is wrong
 */
export function checkBody(body: Body, text: string, { marked, thorough }: { readonly marked: boolean; readonly thorough: boolean }): void {
  if (!text.startsWith('{"') || !text.endsWith('}')) throw refuse('a non-empty JSON object was expected')
  if (text.includes('\n')) throw refuse('one line was expected, found LF')
  if (text.length * 3 + OVERHEAD_BYTES > MAX_LINE_BYTES && bytesOf(body) + OVERHEAD_BYTES > MAX_LINE_BYTES) {
    throw refuse(`at most ${MAX_LINE_BYTES} bytes a line were expected`)
  }
  if (thorough || (marked && SUSPECT.test(text))) checkMembers(parseObject(body.json))
}

function bytesOf(body: Body): number {
  return body.utf8?.length ?? Buffer.byteLength(body.json)
}

function checkMembers(payload: JsonObject): void {
  for (const name of RESERVED_MEMBERS) if (Object.hasOwn(payload, name)) throw refuse('the member belongs to the ledger', `/${name}`)
  const type = payload.event_type
  if (typeof type === 'string' && type.startsWith('log.')) throw refuse('this event_type belongs to the ledger', '/event_type')
}

/** Strict: no member twice at any depth, no lone surrogate, depth at most 64. */
function parseObject(json: string): JsonObject {
  try {
    const value = parseStrict(json)
    if (isJsonObject(value)) return value
  } catch {
    // the reason would quote the body
  }
  throw refuse('I-JSON was expected: no member twice, well-formed text, depth at most 64')
}

/** The counters as members, to stand behind the payload's own. */
export function counterMembers({ sessionSeq, producerId, producerSeq }: Counters): string {
  const session = sessionSeq === undefined ? '' : `,"session_seq":${sessionSeq}`
  return `${session},"producer_id":${JSON.stringify(producerId)},"producer_seq":${producerSeq}`
}

/** The body as received and its counters; `undefined` when the line was not a caller's event. */
export function unspliceCounters(body: string): { json: string; counters: Counters } | undefined {
  const found = SPLICED.exec(body)
  if (!found) return undefined
  const [whole, sessionSeq, producerId, producerSeq] = found
  return {
    json: `${body.slice(0, -whole.length)}}`,
    counters: {
      ...(sessionSeq !== undefined && { sessionSeq: Number(sessionSeq) }),
      producerId: String(JSON.parse(producerId ?? '""')),
      producerSeq: Number(producerSeq),
    },
  }
}

/** `session_end` states how many records the session has: its own session_seq + 1. */
export function withSessionCount(json: string, count: number): string {
  const payload = parseObject(json)
  const metadata = isJsonObject(payload.metadata) ? payload.metadata : {}
  return JSON.stringify({ ...payload, metadata: { ...metadata, count } })
}

/** What two sendings of one event are compared by: the body as received; of a `session_end` without its count. */
export function comparableBody(json: string, eventType: string): string {
  return eventType === 'session_end' ? withSessionCount(json, 0) : json
}

function refuse(message: string, at = ''): SwornError {
  return new SwornError('APPEND_REFUSED', message, at)
}
