/**
 * What the objects that are not plain stand for: Map, Set, Date, bytes, errors, boxed values, instances.
 *
 * Only intrinsic methods are called, never those of the value. Bytes that are UTF-8 text become that text, so
 * that redaction can read them.
 * @module
 */
import { types } from 'node:util'

/** What stands for the value, and the word for it in the note. */
export interface Unwrapped {
  readonly value: unknown
  readonly was: string
}

const MAX_BYTES = 262_144

/** undefined for a plain object. May throw what a Proxy throws. */
export function unwrap(object: object): Unwrapped | undefined {
  if (types.isProxy(object)) return { value: { ...object }, was: 'proxy' }
  if (types.isDate(object)) return dateOf(object)
  if (types.isMap(object)) return { value: [...Map.prototype.entries.call(object)], was: 'map' }
  if (types.isSet(object)) return { value: [...Set.prototype.values.call(object)], was: 'set' }
  if (types.isNativeError(object)) return { value: errorMembers(object), was: 'error' }
  if (types.isRegExp(object)) return { value: RegExp.prototype.toString.call(object), was: 'regexp' }
  if (types.isPromise(object)) return { value: '[promise]', was: 'promise' }
  if (types.isBoxedPrimitive(object)) return { value: unbox(object), was: 'boxed' }
  const bytes = bytesOf(object)
  if (bytes) return { value: textOf(bytes), was: 'bytes' }
  return instanceOf(object)
}

function instanceOf(object: object): Unwrapped | undefined {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === null) return undefined
  return { value: object instanceof URL ? URL.prototype.toString.call(object) : object, was: 'instance' }
}

function dateOf(date: Date): Unwrapped {
  const ms = Date.prototype.getTime.call(date)
  return { value: Number.isNaN(ms) ? '[invalid date]' : new Date(ms).toISOString(), was: 'date' }
}

function errorMembers(error: Error): object {
  const { name, message, cause } = error
  const code: unknown = (error as { code?: unknown }).code // many errors carry one; any type is handled
  return { name, message, ...(code === undefined ? {} : { code }), ...(cause === undefined ? {} : { cause }) }
}

function unbox(object: object): unknown {
  if (types.isNumberObject(object)) return Number.prototype.valueOf.call(object)
  if (types.isStringObject(object)) return String.prototype.valueOf.call(object)
  if (types.isBooleanObject(object)) return Boolean.prototype.valueOf.call(object)
  return types.isBigIntObject(object) ? BigInt.prototype.valueOf.call(object) : '[symbol]'
}

function bytesOf(object: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(object)) return new Uint8Array(object.buffer, object.byteOffset, object.byteLength)
  return types.isAnyArrayBuffer(object) ? new Uint8Array(object) : undefined
}

function textOf(bytes: Uint8Array): string {
  const head = bytes.subarray(0, MAX_BYTES)
  const rest = bytes.length > MAX_BYTES ? `[TRUNCATED:${bytes.length} bytes]` : ''
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head) + rest
  } catch {
    return `base64:${Buffer.from(head).toString('base64')}${rest}`
  }
}
