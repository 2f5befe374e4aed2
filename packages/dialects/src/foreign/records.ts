/**
 * Foreign logs as records: JSON Lines, a JSON array, or one JSON object. The octets of each line are kept, because
 * some formats link by them. Attacker-controlled; the bytes are held in memory, so whoever reads them bounds their
 * size, but only one record at a time is parsed.
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue, parseStrict, text } from '@sworn/verify'
import { type Digits, findDigits } from '../native.ts'
import type { Tally } from './report.ts'

export interface ForeignRecord {
  /** From 1. */
  readonly number: number
  readonly value: JsonObject
  readonly digits: Digits
  /** The line without its end; for arrays and single objects the whole file. */
  readonly octets: Uint8Array
}

const LF = 0x0a
const CR = 0x0d

/** The records of a log, for one pass; what was met on the way. */
export interface Reading extends Iterable<ForeignRecord> {
  readonly count: number
  readonly first: ForeignRecord | undefined
  readonly last: ForeignRecord | undefined
}

/** The records that can be read, one after the other; the others are findings. Empty lines are skipped. */
export function readRecords(bytes: Uint8Array, tally: Tally): Reading {
  let count = 0
  let first: ForeignRecord | undefined
  let last: ForeignRecord | undefined
  return {
    get count() {
      return count
    },
    get first() {
      return first
    },
    get last() {
      return last
    },
    *[Symbol.iterator]() {
      for (const record of parseRecords(bytes, tally)) {
        count += 1
        first ??= record
        last = record
        yield record
      }
    },
  }
}

function* parseRecords(bytes: Uint8Array, tally: Tally): Generator<ForeignRecord> {
  let number = 0
  const whole = wholeDocument(bytes)
  for (const value of whole ?? []) yield* toRecord(value, ++number, bytes, {}, tally)
  if (whole) return
  for (const octets of splitLines(bytes)) {
    const parsed = parseRecord(octets)
    number += 1
    if (parsed) yield* toRecord(parsed.value, number, octets, parsed.digits, tally)
    else tally.add('malformed', number, 'a line that is one JSON object was expected')
  }
}

/** Records of an array, or the single one of a document over several lines. */
function wholeDocument(bytes: Uint8Array): readonly JsonValue[] | undefined {
  const first = bytes.find((byte) => byte > 0x20)
  if (first === 0x7b && isLines(bytes)) return undefined
  if (first !== 0x5b && first !== 0x7b) return undefined
  const parsed = parseRecord(bytes)
  if (first === 0x5b) return parsed && Array.isArray(parsed.value) ? parsed.value : [null]
  return parsed && [parsed.value]
}

function toRecord(value: JsonValue, number: number, octets: Uint8Array, digits: Digits, tally: Tally): ForeignRecord[] {
  if (isJsonObject(value)) return [{ number, value, digits, octets }]
  tally.add('malformed', number, 'a JSON object was expected')
  return []
}

function parseRecord(octets: Uint8Array): { value: JsonValue; digits: Digits } | undefined {
  try {
    const source = text(octets)
    return { value: parseStrict(source), digits: findDigits(source) }
  } catch {
    return undefined // the finding says so
  }
}

/** True when the first line is whole for itself, or the only one. */
function isLines(bytes: Uint8Array): boolean {
  const { value: line } = splitLines(bytes).next()
  return line !== undefined && parseRecord(line) !== undefined
}

/** Lines that are not empty, without their ends. */
export function* splitLines(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LF, start)
    const next = found < 0 ? bytes.length : found
    const end = next > start && bytes[next - 1] === CR ? next - 1 : next
    if (end > start) yield bytes.subarray(start, end)
    start = next + 1
  }
}
