/**
 * Keyed hashes: equality without content. HMAC-SHA-256 over the RFC 8785 form, under the ledger's MAC key.
 * Source: docs/format.md (spec events §6), RFC 8785, RFC 2104.
 * @module
 */
import { createHmac, createSecretKey } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { JsonValue } from '../event/sanitize.ts'

/** @param key 32 bytes; @param value sanitised JSON, not redacted. Returns `hmac-sha256:` + 64 hex characters. */
export function keyedHash(key: Uint8Array, value: JsonValue): string {
  return createKeyedHash(key)(value)
}

/** The same under one key, prepared once: preparing it costs eight times as much as a hash. */
export function createKeyedHash(key: Uint8Array): (value: JsonValue) => string {
  const secret = createSecretKey(key)
  return (value) =>
    `hmac-sha256:${createHmac('sha256', secret)
      .update(canonicalize(value) ?? 'null', 'utf8')
      .digest('hex')}`
}
