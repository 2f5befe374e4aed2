/**
 * Keyed hashes: equality without content. HMAC-SHA-256 over the RFC 8785 form, under the ledger's MAC key.
 * Source: docs/format.md (spec events §6), RFC 8785, RFC 2104.
 * @module
 */
import { createHmac } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { JsonValue } from '../event/sanitize.ts'

/** @param key 32 bytes; @param value sanitised JSON, not redacted. Returns `hmac-sha256:` + 64 hex characters. */
export function keyedHash(key: Uint8Array, value: JsonValue): string {
  return `hmac-sha256:${createHmac('sha256', key)
    .update(canonicalize(value) ?? 'null', 'utf8')
    .digest('hex')}`
}
