/**
 * `log.segment` records: where a stream of lines may begin, and the tree it continues.
 *
 * Their frontier is the writer's word until a checkpoint over the tree that grows from it proves it.
 * @module
 */
import { concat, parseBase64, toHex, utf8 } from './bytes.ts'
import { SwornError } from './errors.ts'
import { createFrontier, type Frontier } from './frontier.ts'
import { type JsonObject, parseStrict } from './json.ts'
import { createSuffix, findSuffix, previousHashOf } from './line.ts'
import type { Primitives } from './primitives.ts'
import { GENESIS_START, type Start } from './run.ts'
import { isReservedAt } from './scan.ts'

const CLOSE = utf8('}')

/** A stream whose first line is a log.segment record begins there; any other begins at seq 0. */
export function findStart(p: Primitives, line: Uint8Array): Start {
  const suffix = createSuffix()
  if (findSuffix(line, 0, line.length, suffix) !== undefined || suffix.seq === 0) return GENESIS_START
  const frontier = findFrontier(p, line.subarray(0, suffix.bodyEnd), suffix.seq)
  return frontier ? { seq: suffix.seq, previousHash: toHex(previousHashOf(line, suffix)), frontier: frontier.hashes() } : GENESIS_START
}

/** The frontier of a line that is a well-formed log.segment. */
export function findFrontier(p: Primitives, body: Uint8Array, seq: number): Frontier | undefined {
  try {
    if (!isReservedAt(body, 0, body.length)) return undefined
    const payload = parseStrict(concat(body, CLOSE)) as JsonObject // the first byte is {
    return payload.event_type === 'log.segment' ? readSegment(p, payload, seq) : undefined
  } catch {
    return undefined // not one; the line is judged where it is read
  }
}

/**
 * The frontier that a log.segment record carries: 32-byte hashes, largest subtree first, in one base64 text.
 * @throws SwornError when it is none of size `seq`, or the record names another seq than its own
 */
export function readSegment(p: Primitives, payload: JsonObject, seq: number): Frontier {
  if (typeof payload.frontier !== 'string') throw new SwornError('LINE_MALFORMED', 'the text member frontier was expected')
  const packed = parseBase64(payload.frontier)
  if (payload.first_seq !== seq) throw new SwornError('LINE_MALFORMED', 'first_seq of the record itself was expected')
  const hashes = Array.from({ length: Math.ceil(packed.length / 32) }, (_, i) => packed.slice(32 * i, 32 * i + 32))
  return createFrontier(p, { size: seq, hashes })
}
