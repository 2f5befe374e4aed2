/**
 * Bytes and their text forms: hex, base64, UTF-8.
 *
 * Every parser here accepts exactly what its formatter writes, so one value has one text: lower-case
 * hex, base64 with padding and zero trailing bits (RFC 4648 §3.5), UTF-8 without replacement.
 * @module
 */
import { SwornError } from './errors.ts'

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const HEX = '0123456789abcdef'
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Lower-case hex, two characters a byte. */
export function toHex(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += HEX[byte >> 4]! + HEX[byte & 15]!
  return out
}

/**
 * The bytes of lower-case hex of even length.
 * @throws SwornError LINE_MALFORMED for any other text
 */
export function parseHex(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(hex)) throw new SwornError('LINE_MALFORMED', 'lower-case hex was expected')
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

/** Base64 of the standard alphabet, padded. */
export function toBase64(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out += BASE64[bits >> 18]! + BASE64[(bits >> 12) & 63]!
    out += left > 1 ? BASE64[(bits >> 6) & 63]! : '='
    out += left > 2 ? BASE64[bits & 63]! : '='
  }
  return out
}

/**
 * The bytes of canonical padded base64: what `toBase64` writes and nothing else.
 * @throws SwornError NOTE_MALFORMED for any other text
 */
export function parseBase64(text: string): Uint8Array {
  const body = text.replace(/={1,2}$/, '')
  const bytes = new Uint8Array(Math.floor((body.length * 3) / 4))
  let bits = 0
  let held = 0
  let at = 0
  for (const character of body) {
    bits = ((bits << 6) | BASE64.indexOf(character)) & 0xffff
    held += 6
    if (held >= 8) bytes[at++] = bits >> (held -= 8)
  }
  // Encoding again is the whole check: alphabet, padding, trailing bits.
  if (toBase64(bytes) !== text) throw new SwornError('NOTE_MALFORMED', 'canonical base64 was expected')
  return bytes
}

/** All parts, in order, in one new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** True when both hold the same bytes. Not constant in time: nothing here is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The UTF-8 bytes of `s`; lone surrogates become U+FFFD, so check `s.isWellFormed()` where that matters. */
export function utf8(s: string): Uint8Array {
  return encoder.encode(s)
}

/**
 * The text of UTF-8 bytes, a leading byte order mark kept.
 * @throws TypeError when the bytes are not UTF-8
 */
export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
