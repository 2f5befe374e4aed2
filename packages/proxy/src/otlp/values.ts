/**
 * OTLP's values and attributes as JSON, from the objects of OTLP's JSON encoding. Hostile input.
 *
 * What is of another form than OTLP says is refused as a whole request; what is absent is absent.
 * Source: opentelemetry-proto 1.5, common.proto; OTLP/JSON mapping.
 * @module
 */
import { type JsonValue, SwornError } from '@sworn/recorder'

export type JsonObject = { readonly [member: string]: JsonValue }
/** The last of two attributes of one name counts. */
export type Attributes = ReadonlyMap<string, JsonValue>

const MAX_TIME_MS = Date.UTC(10_000, 0) // later years have more than four digits
const NANOS = 1_000_000n
export const TRACE_BYTES = 16
export const SPAN_BYTES = 8

/** @throws SwornError REQUEST_INVALID for what is neither absent nor an object */
export function objectOf(value: JsonValue | undefined): JsonObject {
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  throw new SwornError('REQUEST_INVALID', 'an object of OTLP was expected')
}

/** @throws SwornError REQUEST_INVALID for what is neither absent nor an array of objects */
export function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new SwornError('REQUEST_INVALID', 'an array of objects of OTLP was expected')
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value.toWellFormed() : undefined
}

/** Numbers, and texts that are decimal numbers: some senders have no others. */
export function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined
}

/** @throws SwornError REQUEST_INVALID */
export function attributesOf(list: JsonValue | undefined): Attributes {
  return new Map(objectsOf(list).flatMap(({ key, value }) => (typeof key === 'string' && key !== '' ? [[key, toValue(value)]] : [])))
}

/**
 * One AnyValue: integers that binary64 does not hold stay text, and so do numbers that JSON has not; bytes are base64.
 * @throws SwornError REQUEST_INVALID
 */
export function toValue(any: JsonValue | undefined): JsonValue {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = objectOf(any)
  if (stringValue !== undefined) return stringValue
  if (boolValue !== undefined) return boolValue
  if (intValue !== undefined) return toInteger(intValue)
  if (doubleValue !== undefined) return typeof doubleValue === 'number' && !Number.isFinite(doubleValue) ? String(doubleValue) : doubleValue
  if (arrayValue !== undefined) return objectsOf(objectOf(arrayValue).values).map(toValue)
  if (kvlistValue !== undefined) return Object.fromEntries(attributesOf(objectOf(kvlistValue).values))
  return bytesValue ?? null
}

function toInteger(value: JsonValue): JsonValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : String(BigInt(value))
  return typeof value === 'string' && /^-?\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** Nanoseconds since 1970; undefined for none, zero, and years that RFC 3339 cannot write. */
export function nanosOf(value: JsonValue | undefined): bigint | undefined {
  const text = typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : value
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) return undefined
  const nanos = BigInt(text)
  return nanos > 0n && nanos / NANOS < BigInt(MAX_TIME_MS) ? nanos : undefined
}

/** Whole milliseconds. */
export function millisOf(nanos: bigint): number {
  return Number(nanos / NANOS)
}

/** Lowercase hex of `bytes` bytes that are not all zero. Source: W3C Trace Context §3.2.2. */
export function idOf(value: JsonValue | undefined, bytes: number): string | undefined {
  const id = typeof value === 'string' ? value.toLowerCase() : ''
  return id.length === 2 * bytes && /^(?!0+$)[0-9a-f]+$/.test(id) ? id : undefined
}
