/**
 * The hash that names a policy: of what it says, not of how it is laid out or commented.
 *
 * "sha256:" and the hex SHA-256 of the RFC 8785 bytes of the parsed document. Source: spec events §1.
 * @module
 */
import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** @param document parsed policy: JSON values with finite numbers and well-formed strings only */
export function hashPolicy(document: unknown): string {
  return `sha256:${hash('sha256', canonicalJson(document))}`
}

/** RFC 8785. @throws Error for what JSON does not have: a number that is not finite, half a surrogate pair, a cycle */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? 'null'
}
