/**
 * The two forms of OTLP over HTTP: JSON, and Protocol Buffers, which are loaded with the first body of that form.
 * Source: OTLP 1.5 over HTTP, "Partial Success", "Failures"; google.rpc.Status.
 * @module
 */
import { parseStrict, SwornError } from '@sworn/recorder'
import { type JsonObject, objectOf } from './values.ts'

export interface Encoding {
  /** Of the body, and of what is answered. */
  readonly type: string
  /** @param message its name in the schema. @throws SwornError REQUEST_INVALID, JSON_INVALID, JSON_DUPLICATE_MEMBER */
  parse(body: Buffer, message: string): JsonObject
  /** @param rejected more than 0. @param name of the count, in JSON */
  formatPartial(rejected: number, name: string, why: string): string | Buffer
  readonly whole: string | Buffer
  /** google.rpc.Status. */
  formatStatus(code: number, message: string): string | Buffer
}

/** Objects and arrays within each other. */
const MAX_DEPTH = 200

/** Of one request, before they are made: small ones take fifty times the bytes that they are written with. */
const MAX_OBJECTS = 500_000
const OPENING: ReadonlySet<number> = new Set(Buffer.from('{['))

export const json: Encoding = {
  type: 'application/json',
  parse(body) {
    if (countOpening(body) > MAX_OBJECTS) throw new SwornError('REQUEST_INVALID', `at most ${MAX_OBJECTS} objects and arrays were expected`)
    return objectOf(parseStrict(body, { maxDepth: MAX_DEPTH, loneSurrogates: 'keep' })) // of texts that an SDK cut within an emoji
  },
  formatPartial: (rejected, name, why) => JSON.stringify({ partialSuccess: { [name]: String(rejected), errorMessage: why } }), // int64 is text
  whole: '{}',
  formatStatus: (code, message) => JSON.stringify({ code, message }),
}

/** Those in texts are counted too. */
function countOpening(body: Buffer): number {
  let count = 0
  for (const byte of body) if (OPENING.has(byte)) count++
  return count
}
