/**
 * RFC 8785 bytes of parsed JSON, for foreign formats that hash or sign them.
 * @module
 */
import { type JsonValue, SwornError, utf8 } from '@sworn/verify'
import canonicalize from 'canonicalize'

/** @throws SwornError JSON_INVALID for what RFC 8785 refuses */
export function jcs(value: JsonValue): Uint8Array {
  try {
    return utf8(canonicalize(value) ?? '')
  } catch {
    throw new SwornError('JSON_INVALID', 'a value that RFC 8785 can write was expected')
  }
}
