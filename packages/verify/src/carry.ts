/**
 * What a part carries along of its lines: records for the verification that it is joined to, and what could be
 * judged ahead of it, the signatures of one key and the stretches of sessions.
 *
 * A signature that does not hold and whatever follows on a change of keys is carried, not judged: which key was due
 * is known where the part is joined.
 * @module
 */
import { concat, utf8 } from './bytes.ts'
import type { Link } from './chain.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { type JsonObject, parseStrict } from './json.ts'
import { parseNote } from './note.ts'
import type { Primitives } from './primitives.ts'
import { createRecordCheck, type RecordSigner } from './record-signer.ts'
import type { Hashes, Window } from './roots.ts'
import { isReservedAt } from './scan.ts'
import { createSessions, type Stretch } from './sessions.ts'
import type { Cursor } from './splitter.ts'

const CLOSE = utf8('}')
const MAX_BYTES = 16 * 1024 * 1024

/** A line that the joining verification has to look into. */
export interface PartItem {
  readonly line: Uint8Array
  /** It may be a reserved record. */
  readonly reserved: boolean
  /** The edge, from the part's first entry on, at the size that the record names. */
  readonly edge?: { readonly size: number; readonly hashes: Hashes }
}

export interface Carried {
  readonly items: readonly PartItem[]
  /** Absent unless every line was parsed. */
  readonly sessions?: readonly Stretch[]
  /** Its signatures hold, of all that are not among the items; absent when there is none. */
  readonly signer?: RecordSigner
  /** Some entry carries no signature. */
  readonly unsigned: boolean
}

export interface CarryOptions {
  /** Parses every line: `LogCheck.parses`. */
  parse?: boolean | undefined
  /** `LogCheck.signer`. */
  signer?: RecordSigner | undefined
}

export interface Carrier {
  /** @returns false when only the bytes can tell what is to be said of the line, or it is too much to carry */
  take(line: Cursor, link: Link): boolean | Promise<boolean>
  /** Undefined when it is too much to carry. */
  carried(): Carried | undefined
}

export function createCarrier(p: Primitives, window: Window, { parse = false, signer }: CarryOptions): Carrier {
  const items: PartItem[] = []
  const sessions = parse ? createSessions(true) : undefined
  let isSigned = signer && createRecordCheck(p, signer)
  let itemBytes = 0
  let ended = false
  let unsigned = false
  let checked = false
  const carry = ({ bytes, start, end }: Cursor, record?: { edge: PartItem['edge'] }): boolean => {
    items.push({ line: concat(bytes.subarray(start, end)), reserved: record !== undefined, ...(record?.edge && { edge: record.edge }) })
    itemBytes += end - start
    return itemBytes <= MAX_BYTES
  }
  const carryRecord = (line: Cursor, payload: JsonObject | undefined, seq: number): boolean => {
    const type = payload?.event_type
    // Nothing may follow log.close; that every entry is signed is a rule of the whole log.
    ended = type === 'log.close' || payload?.record_signatures === 'all'
    if (type === 'log.open' || type === 'log.key_transition') isSigned = undefined
    const size = payload && sizeOf(payload, seq)
    const hashes = size === undefined ? undefined : window.hashesAt(size)
    return carry(line, { edge: hashes && { size: size!, hashes } })
  }
  const carryUnlessSigned = async (line: Cursor, holds: Promise<boolean>): Promise<boolean> => {
    if (!(await holds)) return carry(line)
    checked = true
    return true
  }
  return {
    take(line, link) {
      const { seq, bodyEnd, signatureAt } = link.suffix
      const reserved = isReservedAt(line.bytes, line.start, bodyEnd)
      const payload = reserved || sessions ? parseBody(line.bytes.subarray(line.start, bodyEnd)) : undefined
      const ours = typeof payload?.event_type === 'string' && payload.event_type.startsWith('log.')
      // Not I-JSON, or a reserved record in another form: a finding of its own.
      if (ended || (sessions && !reserved && (!payload || ours))) return false
      if (payload && !ours) sessions?.see(payload)
      unsigned ||= signatureAt < 0
      if (reserved) return carryRecord(line, payload, seq)
      if (seq > 0 && signatureAt < 0) return true
      return seq > 0 && isSigned ? carryUnlessSigned(line, isSigned(line.bytes, link)) : carry(line)
    },
    carried() {
      const stretches = sessions?.stretches()
      if (sessions && (!stretches || stretches.reduce((sum, { id }) => sum + id.length, 0) > MAX_BYTES)) return undefined
      return { items, ...(stretches && { sessions: stretches }), ...(signer && checked && { signer }), unsigned }
    },
  }
}

function parseBody(body: Uint8Array): JsonObject | undefined {
  try {
    return parseStrict(concat(body, CLOSE)) as JsonObject // the first byte is {
  } catch {
    return undefined // judged where the part is joined
  }
}

/** The size whose root the record says something about. */
function sizeOf(payload: JsonObject, seq: number): number | undefined {
  if (payload.event_type !== 'log.checkpoint' || typeof payload.checkpoint !== 'string') return seq
  try {
    return parseCheckpoint(parseNote(payload.checkpoint).text).size
  } catch {
    return undefined
  }
}
